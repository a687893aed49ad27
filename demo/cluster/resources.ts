import type { KubeObject, Plural } from './shapes.ts';

/** What the server knows of a kind besides its shape. `group` is empty for the core group. */
export interface Resource {
  readonly group: '' | 'apps' | 'autoscaling' | 'batch';
  readonly version: string;
  readonly plural: Plural;
  readonly singular: string;
  readonly kind: string;
  readonly shortNames: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly Verb[];
  readonly subresources: readonly Subresource[];
  /** Fields beside name and namespace that a field selector may ask for. */
  readonly selectable: readonly string[];
  /** Whether `metadata.generation` counts what is asked of it. */
  readonly counted: boolean;
  /** What of its spec cannot change once it is there. */
  readonly fixed: readonly string[];
}

/** What may be asked of a kind. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';
export type Subresource = 'status' | 'scale' | 'log';

const read: readonly Verb[] = ['get', 'list', 'watch'];
const change: readonly Verb[] = [...read, 'update', 'patch'];
const all: readonly Verb[] = [...change, 'create', 'delete'];

const core = {
  group: '',
  version: 'v1',
  shortNames: [],
  namespaced: true,
  verbs: all,
  selectable: [],
  counted: false,
  fixed: [],
} as const;
const counted = { ...core, counted: true, fixed: ['spec.selector'] } as const;
const apps = { ...counted, group: 'apps', subresources: ['status', 'scale'] } as const;
const ofEvents = ['kind', 'namespace', 'name', 'uid'].map((field) => `involvedObject.${field}`);

/** Every kind this server serves. */
export const resources: readonly Resource[] = [
  {
    ...core,
    plural: 'namespaces',
    singular: 'namespace',
    kind: 'Namespace',
    shortNames: ['ns'],
    namespaced: false,
    verbs: [...change, 'create'],
    subresources: ['status'],
  },
  {
    ...core,
    plural: 'nodes',
    singular: 'node',
    kind: 'Node',
    shortNames: ['no'],
    namespaced: false,
    verbs: change,
    subresources: ['status'],
  },
  {
    ...core,
    plural: 'pods',
    singular: 'pod',
    kind: 'Pod',
    shortNames: ['po'],
    subresources: ['status', 'log'],
    selectable: ['spec.nodeName', 'status.phase'],
  },
  {
    ...core,
    plural: 'events',
    singular: 'event',
    kind: 'Event',
    shortNames: ['ev'],
    verbs: read,
    subresources: [],
    selectable: [...ofEvents, 'reason', 'type'],
  },
  { ...apps, plural: 'deployments', singular: 'deployment', kind: 'Deployment', shortNames: ['deploy'] },
  { ...apps, plural: 'replicasets', singular: 'replicaset', kind: 'ReplicaSet', shortNames: ['rs'] },
  {
    ...counted,
    group: 'batch',
    plural: 'jobs',
    singular: 'job',
    kind: 'Job',
    shortNames: [],
    subresources: ['status'],
    fixed: ['spec.selector', 'spec.template', 'spec.completions', 'spec.completionMode'],
  },
  {
    ...core,
    group: 'autoscaling',
    version: 'v2',
    plural: 'horizontalpodautoscalers',
    singular: 'horizontalpodautoscaler',
    kind: 'HorizontalPodAutoscaler',
    shortNames: ['hpa'],
    subresources: ['status'],
  },
];

const byPlural = new Map(resources.map((resource) => [resource.plural, resource]));

/** The kind with that plural name. */
export function resourceOf(plural: Plural): Resource {
  const resource = byPlural.get(plural);
  if (resource === undefined) throw new Error(`no resource ${plural}`);
  return resource;
}

/** The `apiVersion` of a kind: `v1`, `apps/v1`. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** The kind with its group, as messages name it: `pods`, `deployments.apps`. */
export function qualifiedName(resource: Resource): string {
  return resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
}

/** A reference from one object to another, as events and owners hold it. */
export function referenceTo(object: KubeObject): {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
} {
  const { name, uid } = object.metadata;
  return { apiVersion: object.apiVersion, kind: object.kind, name, uid };
}
