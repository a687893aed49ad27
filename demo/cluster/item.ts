import { readProposal } from './admission.ts';
import {
  type Call,
  checked,
  countParameter,
  find,
  isSet,
  parameter,
  readWrite,
  requirePlace,
} from './call.ts';
import { ApiFailure, badRequest, conflict, wrongOption } from './failure.ts';
import { orphanDependents } from './garbage.ts';
import { isRecord } from './json.ts';
import { terminatePod } from './owned-pods.ts';
import { applyPatch } from './patch.ts';
import type { Resource } from './resources.ts';
import { type Scalable, scaleOf, withScale } from './scale.ts';
import type { KubeObject } from './shapes.ts';
import type { World } from './world.ts';

/** PUT of an object or of its status. */
export function replace(world: World, call: Call, subresource?: 'status'): KubeObject {
  const current = find(world.store, call.resource.plural, call);
  const { metadata } = readProposal(call.body);
  requireName(call, metadata);
  requireSame(call, current, { uid: metadata.uid });
  return world.registry.update(
    call.resource.plural,
    current,
    checked(call, call.body),
    readWrite(call, subresource),
  );
}

/** Refuses (400) an object that belongs under another URL, or does not say its name. */
function requireName(call: Call, metadata: Readonly<Record<string, unknown>>): void {
  requirePlace(call, metadata);
  if ((metadata.name ?? '') !== '') return;
  throw badRequest(
    `the name of the object (${call.name} based on URL) was undeterminable: name must be provided`,
  );
}

/** PATCH of an object or of its status. Throws 422 when it is forced, which is for server-side apply alone. */
export function patch(world: World, call: Call, subresource?: 'status'): KubeObject {
  if (isSet(call, 'force')) {
    const message = 'Forbidden: may not be specified for non-apply patch';
    throw wrongOption('PatchOptions', { field: 'force', message, reason: 'FieldValueForbidden' });
  }
  const current = find(world.store, call.resource.plural, call);
  const patched = readProposal(applyPatch(call.contentType, current, call.body));
  requirePlace(call, patched.metadata);
  const proposed = checkedPatch(call, patched);
  return world.registry.update(call.resource.plural, current, proposed, readWrite(call, subresource));
}

/** What a patch made of the object; where that is no such object, the patch is wrong (422), not the request. */
function checkedPatch(call: Call, patched: unknown): unknown {
  try {
    return checked(call, patched);
  } catch (error) {
    if (!(error instanceof ApiFailure) || error.status.code !== 400) throw error;
    const cause = { field: 'patch', message: `Invalid value: ${error.message}`, reason: 'FieldValueInvalid' };
    throw new ApiFailure(422, 'Invalid', ` "" is invalid: patch: ${cause.message}`, { causes: [cause] });
  }
}

/** GET of the `scale` subresource. */
export function readScale(world: World, call: Call): unknown {
  return scaleOf(find(world.store, scalable(call.resource), call));
}

/** PUT or PATCH of the `scale` subresource: a version in it must be the current one (409). */
export function writeScale(world: World, call: Call, how: 'replace' | 'patch'): unknown {
  const plural = scalable(call.resource);
  const current: Scalable = find(world.store, plural, call);
  const scale = how === 'patch' ? applyPatch(call.contentType, scaleOf(current), call.body) : call.body;
  const proposed = withScale(current, scale);
  requireName(call, readProposal(scale).metadata);
  const written = world.registry.update(plural, current, proposed, readWrite(call, 'scale'));
  return scaleOf(written);
}

/** Only kinds with the subresource have its URL. */
function scalable({ plural }: Resource): 'deployments' | 'replicasets' {
  if (plural === 'deployments' || plural === 'replicasets') return plural;
  throw new Error(`${plural} cannot be scaled`);
}

/**
 * DELETE: a pod gets its time to end (30 s when no other is named), everything else is gone at once. What belongs to it
 * goes too, unless it is to be orphaned, which is the rule for Jobs.
 */
export function remove(world: World, call: Call): unknown {
  const { resource } = call;
  const options = readDeleteOptions(call.body);
  const current = find(world.store, resource.plural, call);
  const { name, uid } = current.metadata;
  requireSame(call, current, isRecord(options.preconditions) ? options.preconditions : {});
  const policy = readPolicy(call, options);
  const grace = options.gracePeriodSeconds ?? countParameter(call, 'gracePeriodSeconds') ?? 30;
  if (typeof grace !== 'number' || !(grace >= 0))
    throw badRequest('gracePeriodSeconds: not a number of seconds');
  const { dryRun } = readWrite(call);
  const isRehearsal = dryRun || (Array.isArray(options.dryRun) && options.dryRun.includes('All'));
  const pod = resource.plural === 'pods' ? find(world.store, 'pods', call) : undefined;
  if (pod !== undefined && (isRehearsal || grace > 0))
    return isRehearsal ? pod : terminatePod(world, pod, grace);
  if (!isRehearsal) {
    if (policy === 'Orphan') orphanDependents(world, current);
    world.store.drop(resource.plural, current);
  }
  if (pod !== undefined) return pod;
  const group = resource.group === '' ? {} : { group: resource.group };
  const details = { name, ...group, kind: resource.plural, uid };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}

/** The body of a DELETE. Throws 400 for another object: who sends one does not mean a deletion. */
function readDeleteOptions(body: unknown): Readonly<Record<string, unknown>> {
  const options = isRecord(body) ? body : {};
  const { kind = 'DeleteOptions' } = options;
  if (kind !== 'DeleteOptions')
    throw badRequest(`the body of a DELETE must be of type DeleteOptions, not ${kind}`);
  return options;
}

const policies = ['Orphan', 'Background', 'Foreground'] as const;

/** What becomes of the dependents. Throws 422 for a word that is none. */
function readPolicy(
  call: Call,
  options: Readonly<Record<string, unknown>>,
): (typeof policies)[number] | undefined {
  const given = options.propagationPolicy ?? parameter(call, 'propagationPolicy') ?? '';
  const policy = policies.find((each) => each === given);
  if (policy === undefined && given !== '') {
    const supported = policies.map((each) => JSON.stringify(each)).join(', ');
    const message = `Unsupported value: ${JSON.stringify(given)}: supported values: ${supported}`;
    throw wrongOption('DeleteOptions', {
      field: 'propagationPolicy',
      message,
      reason: 'FieldValueNotSupported',
    });
  }
  if (policy !== undefined || call.resource.plural !== 'jobs') return policy;
  call.warn(
    'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or ' +
      'set propagationPolicy=Orphan to suppress this warning',
  );
  return 'Orphan';
}

/** Refuses (409) when the object is not the one that the caller means. */
function requireSame(
  call: Call,
  { metadata }: KubeObject,
  expected: { readonly uid?: unknown; readonly resourceVersion?: unknown },
): void {
  for (const [field, is, label] of [
    ['uid', metadata.uid, 'UID'],
    ['resourceVersion', metadata.resourceVersion, 'ResourceVersion'],
  ] as const) {
    const sent = expected[field] ?? '';
    if (sent === '' || sent === is) continue;
    const why = `Precondition failed: ${label} in precondition: ${sent}, ${label} in object meta: ${is}`;
    throw conflict(call.resource, call.name, why);
  }
}
