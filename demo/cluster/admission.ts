import { isDeepStrictEqual } from 'node:util';
import { badRequest, type Cause, invalid } from './failure.ts';
import { withGeneratedSelector } from './job-shape.ts';
import { isRecord, prune } from './json.ts';
import type { Writer } from './managed-fields.ts';
import { ownerList } from './metadata-shape.ts';
import { apiVersionOf, resourceOf } from './resources.ts';
import { type Kinds, type KubeObject, type Metadata, type Plural, shapes } from './shapes.ts';

/** An object as it came from outside: nothing of it is checked but that it is one. */
export interface Proposal {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** Narrows a body to an object with metadata. Throws 400. */
export function readProposal(body: unknown): Proposal {
  if (!isRecord(body)) throw badRequest('the object provided is unrecognized (must be a JSON object)');
  return { ...body, metadata: isRecord(body.metadata) ? body.metadata : {} };
}

/**
 * What of a proposal the writer's subresource may change: `status` covers the status and the annotations, no
 * subresource covers everything but the status. The rest, and what only the server writes, stays as it is.
 */
export function coveredBy(
  subresource: Writer['subresource'],
  plural: Plural,
  current: KubeObject,
  proposed: Proposal,
): Proposal {
  if (subresource === 'status') {
    const metadata = { ...current.metadata, annotations: proposed.metadata.annotations };
    return { ...current, metadata, status: proposed.status };
  }
  const { name, namespace, uid } = current.metadata;
  const kept = { ...serverFields(current.metadata), managedFields: ownersIn(proposed, current) };
  const metadata = { name, namespace, uid, ...proposed.metadata, ...kept };
  const keepsStatus = resourceOf(plural).subresources.includes('status');
  return { ...proposed, metadata, ...(keepsStatus ? { status: current.status } : {}) };
}

/** The part of the metadata that only the server writes. */
function serverFields(current: Metadata): Partial<Metadata> {
  const { resourceVersion, generation, creationTimestamp } = current;
  const { deletionTimestamp, deletionGracePeriodSeconds } = current;
  const death = { deletionTimestamp, deletionGracePeriodSeconds };
  return { resourceVersion, generation, creationTimestamp, ...death };
}

/** Who owns which fields: a client may say so, and one empty entry clears all. What is no such list changes nothing. */
function ownersIn({ metadata }: Proposal, current: KubeObject): Metadata['managedFields'] {
  if (isDeepStrictEqual(metadata.managedFields, [{}])) return [];
  const said = ownerList.safeParse(metadata.managedFields);
  return said.success ? said.data : current.metadata.managedFields;
}

/** The proposal as an object of its kind, with defaults and generation. Throws 422 with every cause. */
export function admit<P extends Plural>(
  plural: P,
  before: Kinds[P] | undefined,
  proposed: Proposal,
  subresource: Writer['subresource'],
): Kinds[P] {
  const resource = resourceOf(plural);
  const given = readProposal(prune(proposed));
  const pruned = before === undefined ? (births[plural]?.(given) ?? given) : given;
  const parsed = shapes[plural].safeParse({
    ...pruned,
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
  });
  const name = String(pruned.metadata.name ?? '');
  if (!parsed.success) {
    const causes = parsed.error.issues.map((issue) => wrong(issue.path.join('.'), issue.message));
    throw invalid(resource, name, causes);
  }
  const after = parsed.data as Kinds[P];
  const moved =
    before === undefined
      ? []
      : [...identity, ...resource.fixed].filter((path) => differsAt(path, before, after));
  if (moved.length > 0) {
    throw invalid(
      resource,
      name,
      moved.map((path) => wrong(path, 'field is immutable')),
    );
  }
  if (!resource.counted) return after;
  const generation = generationOf(before, after, subresource);
  return { ...after, metadata: { ...after.metadata, generation } };
}

/** What the server adds to new objects of some kinds. */
const births: { readonly [P in Plural]?: (proposal: Proposal) => Proposal } = {
  jobs: withGeneratedSelector,
  namespaces: ({ metadata, ...proposal }) => {
    const labels = {
      ...(isRecord(metadata.labels) ? metadata.labels : {}),
      'kubernetes.io/metadata.name': metadata.name,
    };
    return { ...proposal, metadata: { ...metadata, labels }, spec: { finalizers: ['kubernetes'] } };
  },
};

function wrong(field: string, message: string): Cause {
  return { field, message, reason: 'FieldValueInvalid' };
}

const identity = ['metadata.name', 'metadata.namespace', 'metadata.uid'];

function differsAt(path: string, before: KubeObject, after: KubeObject): boolean {
  const at = (object: unknown) =>
    path.split('.').reduce((value, step) => (isRecord(value) ? value[step] : undefined), object);
  return !isDeepStrictEqual(at(before), at(after));
}

/** Counts the changes that a controller has to act upon: of the spec and, for deployments, of the annotations too. */
function generationOf(
  before: KubeObject | undefined,
  after: KubeObject,
  subresource: Writer['subresource'],
): number {
  if (before === undefined) return 1;
  const { generation = 1, annotations } = before.metadata;
  if (subresource === 'status') return generation;
  const sameNotes = after.kind !== 'Deployment' || isDeepStrictEqual(annotations, after.metadata.annotations);
  return isDeepStrictEqual(before.spec, after.spec) && sameNotes ? generation : generation + 1;
}
