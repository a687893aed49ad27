import { type Proposal, readProposal } from './admission.ts';
import { applyTo } from './apply.ts';
import { type Call, isSet, parameter, readWrite, requirePlace } from './call.ts';
import { badRequest, conflict, notFound, wrongOption } from './failure.ts';
import { checkFields } from './field-check.ts';
import { describeField, fieldsOf, membersOf } from './field-sets.ts';
import { prune } from './json.ts';
import { itemNameOf } from './merge-keys.ts';
import { apiVersionOf } from './resources.ts';
import type { KubeObject } from './shapes.ts';
import type { World } from './world.ts';

/** The patch type of server-side apply; its body is YAML. */
export const APPLY = 'application/apply-patch+yaml';

/** PATCH with a configuration: what is not there is made. Throws 400, 409, 415 or 422. */
export function applyConfiguration(
  world: World,
  call: Call,
): { readonly object: KubeObject; readonly isNew: boolean } {
  const { plural, verbs } = call.resource;
  if ((parameter(call, 'fieldManager') ?? '') === '') {
    throw wrongOption('PatchOptions', {
      field: 'fieldManager',
      message: 'Required value: is required for apply patch',
      reason: 'FieldValueRequired',
    });
  }
  const configuration = readConfiguration(call);
  const write = { ...readWrite(call), applied: new Set(fieldsOf(configuration).keys()) };
  const live = world.store.get(plural, call.namespace, call.name);
  if (live === undefined) {
    if (!verbs.includes('create')) throw notFound(call.resource, call.name);
    const { uid = '' } = configuration.metadata;
    if (uid !== '') throw conflict(call.resource, call.name, mismatch(uid));
    return { object: world.registry.create(plural, configuration, write), isNew: true };
  }
  const application = { manager: write.manager, configuration, force: isSet(call, 'force') };
  const proposed = applyTo(live, application);
  return { object: world.registry.update(plural, live, proposed, write), isNew: false };
}

function mismatch(uid: unknown): string {
  return `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
}

/** What is applied, under the name and namespace of the URL. A status is not applied to the object itself. */
function readConfiguration(call: Call): Proposal {
  const { status: _, ...body } = readProposal(prune(call.body));
  const { name, namespace, resource } = call;
  const { apiVersion = '', kind = '' } = body;
  if (apiVersion !== apiVersionOf(resource) || kind !== resource.kind) {
    const [version = '', group = ''] = `${apiVersion}`.split('/').toReversed();
    throw badRequest(`invalid object type: ${group}/${version}, Kind=${kind}`);
  }
  const { managedFields = [] } = body.metadata;
  if (!Array.isArray(managedFields) || managedFields.length > 0) {
    throw badRequest('metadata.managedFields must be nil');
  }
  requirePlace(call, body.metadata);
  const configuration = { ...body, metadata: { ...body.metadata, name, namespace } };
  checkFields(resource, configuration, 'Strict');
  requireDistinct(configuration, []);
  return configuration;
}

/** Refuses a list in which two items have one name: neither could be owned. */
function requireDistinct(value: unknown, path: readonly string[]): void {
  const last = path.at(-1);
  if (Array.isArray(value)) {
    const names = value.map((item) => itemNameOf(last?.slice(2) ?? '', item));
    const twice = names.find((name, index) => name !== undefined && names.indexOf(name) !== index);
    if (twice !== undefined)
      throw badRequest(`${describeField(JSON.stringify(path))}: duplicate entries for key ${twice}`);
  }
  for (const [step, member] of membersOf(value, last) ?? []) requireDistinct(member, [...path, step]);
}
