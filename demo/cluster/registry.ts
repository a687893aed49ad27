import { randomBytes, randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { admit, coveredBy, type Proposal, readProposal } from './admission.ts';
import { alreadyExists, conflict, notFound } from './failure.ts';
import { stamp } from './json.ts';
import { trackFields, type Writer } from './managed-fields.ts';
import { resourceOf } from './resources.ts';
import type { Kinds, Plural } from './shapes.ts';
import type { Store } from './store.ts';

/** A write: the field manager, the subresource, and whether it is a dry run. */
export interface Write extends Writer {
  readonly dryRun?: boolean;
}

/** The rules of writing: validation, defaults, versions, generations and ownership of fields. */
export interface Registry {
  /** Stores a new object, without status as the real server does. Throws 404, 409 or 422. */
  create<P extends Plural>(plural: P, body: unknown, write: Write): Kinds[P];
  /**
   * Stores `proposed` in place of `current`. A resourceVersion in it must be the current one (409), and only what the
   * writer's subresource covers is taken from it. What changes nothing is not written.
   */
  update<P extends Plural>(plural: P, current: Kinds[P], proposed: unknown, write: Write): Kinds[P];
  /** Stores an object with its status, whether it is there or not and whatever its version: for seeds and tests. */
  set<P extends Plural>(plural: P, object: unknown, write: Write): Kinds[P];
}

/** Creates the rules over a store. `now` gives the moment of each write. */
export function createRegistry(store: Store, now: () => Date): Registry {
  const save = <P extends Plural>(
    plural: P,
    before: Kinds[P] | undefined,
    after: Kinds[P],
    write: Write,
  ): Kinds[P] => {
    const isSame = before !== undefined && isDeepStrictEqual(before, after);
    if (isSame && write.applied === undefined) return before;
    const managedFields = trackFields(before, after, write, stamp(now()));
    if (isSame && isDeepStrictEqual(before.metadata.managedFields, managedFields)) return before;
    const tracked = { ...after, metadata: { ...after.metadata, managedFields } };
    return write.dryRun ? tracked : store.put(plural, tracked);
  };
  const born = ({ metadata, ...rest }: Proposal): Proposal => {
    const stem = metadata.generateName;
    const name = metadata.name ?? (stem ? `${String(stem).slice(0, 58)}${suffix()}` : '');
    const birth = { uid: randomUUID(), resourceVersion: '', creationTimestamp: stamp(now()) };
    return { ...rest, metadata: { ...metadata, ...birth, name, managedFields: undefined } };
  };

  return {
    create: (plural, body, write) => {
      const proposed = { ...born(readProposal(body)), status: undefined };
      const created = admit(plural, undefined, proposed, undefined);
      const { name, namespace } = created.metadata;
      if (namespace !== undefined && store.get('namespaces', undefined, namespace) === undefined) {
        throw notFound(resourceOf('namespaces'), namespace);
      }
      if (store.get(plural, namespace, name) !== undefined) throw alreadyExists(resourceOf(plural), name);
      return save(plural, undefined, created, write);
    },
    update: (plural, current, proposed, write) => {
      const proposal = readProposal(proposed);
      const version = proposal.metadata.resourceVersion ?? '';
      const { name, resourceVersion } = current.metadata;
      // An empty version and 0 stand for "whatever it is now".
      if (version !== '' && version !== '0' && version !== resourceVersion) {
        throw conflict(resourceOf(plural), name);
      }
      const covered = coveredBy(write.subresource, plural, current, proposal);
      return save(plural, current, admit(plural, current, covered, write.subresource), write);
    },
    set: (plural, object, write) => {
      const proposal = readProposal(object);
      const { name, namespace } = proposal.metadata;
      const before = store.get(plural, namespace as string | undefined, String(name));
      if (before === undefined) {
        return save(plural, undefined, admit(plural, undefined, born(proposal), undefined), write);
      }
      const kept = { ...coveredBy(undefined, plural, before, proposal), status: proposal.status };
      return save(plural, before, admit(plural, before, kept, undefined), write);
    },
  };
}

/** Five characters that make a name unique and never spell a word. */
export function suffix(): string {
  const letters = 'bcdfghjklmnpqrstvwxz2456789';
  return [...randomBytes(5)].map((byte) => letters[byte % letters.length]).join('');
}
