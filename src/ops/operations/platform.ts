import { type OutputOf, type PlatformRead, platform } from '../../contract/platform.ts';
import type { Policy, Subject } from '../policy/policy.ts';

/** Every read of the platform about itself; one that is missing here is a type error. */
const reads: { readonly [N in PlatformRead]: (policy: Policy, subject: Subject) => OutputOf<N> } = {
  me: (policy, subject) => Object.fromEntries(policy.rights(subject)),
  // In the order of the policy.
  'units.list': (policy, subject) => policy.rights(subject).map(([unit]) => unit),
};

/** What the platform answers about itself; undefined when the name is none of these reads. */
export function readPlatform(name: string, policy: Policy, subject: Subject): unknown {
  return Object.hasOwn(reads, name) ? reads[name as PlatformRead](policy, subject) : undefined;
}

/** Names of the platform's own reads. */
export const platformReads = (Object.keys(reads) as PlatformRead[]).map(
  (name) => [name, platform[name]] as const,
);
