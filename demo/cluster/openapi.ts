import { createHash } from 'node:crypto';
import { apiVersionOf, type Resource, resources } from './resources.ts';
import { type Field, type FieldType, type ObjectType, typeNamed, typeOfKind } from './schema.ts';

type Json = Readonly<Record<string, unknown>>;

/** The OpenAPI documents of the kinds that are served: version 2 in one piece, version 3 by group, each by its path. */
export function openapi(): ReadonlyMap<string, () => unknown> {
  const groups = Map.groupBy(resources, (resource) => pathOf(resource).slice(1));
  const parts = [...groups].map(([path, members]) => [path, once(() => version3(members))] as const);
  return new Map<string, () => unknown>([
    ['/openapi/v2', once(() => version2(resources))],
    [
      '/openapi/v3',
      once(() => ({ paths: Object.fromEntries(parts.map(([path, part]) => [path, link(path, part())])) })),
    ],
    ...parts.map(([path, part]) => [`/openapi/v3/${path}`, part] as const),
  ]);
}

/** Clients keep a document by its hash. */
function link(path: string, document: unknown): Json {
  const hash = createHash('sha256').update(JSON.stringify(document)).digest('hex').slice(0, 32);
  return { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
}

function once(make: () => unknown): () => unknown {
  let made: unknown;
  return () => {
    made ??= make();
    return made;
  };
}

const info = { title: 'Kubernetes (the cluster of the demo)', version: 'v1.32.0' };

function version2(members: readonly Resource[]): Json {
  const definitions = schemasOf(members, '#/definitions/');
  return {
    swagger: '2.0',
    info,
    paths: pathsOf(members, (name) => ({ ...name, type: 'string' })),
    definitions,
  };
}

function version3(members: readonly Resource[]): Json {
  const schemas = schemasOf(members, '#/components/schemas/');
  const paths = pathsOf(members, (name) => ({ ...name, schema: { type: 'string' } }));
  return { openapi: '3.0.0', info, paths, components: { schemas } };
}

function pathOf(resource: Resource): string {
  return `${resource.group === '' ? '/api' : '/apis'}/${apiVersionOf(resource)}`;
}

const writing = ['dryRun', 'fieldManager', 'fieldValidation'];
const operations = [
  { method: 'post', verb: 'create', isOfItem: false, parameters: writing },
  { method: 'put', verb: 'update', isOfItem: true, parameters: writing },
  { method: 'patch', verb: 'patch', isOfItem: true, parameters: [...writing, 'force'] },
] as const;

/** The writing operations: kubectl looks there for what the server can check and rehearse. */
function pathsOf(members: readonly Resource[], inQuery: (name: Json) => Json): Json {
  const paths = members.flatMap((resource) => {
    const { version, kind, group, namespaced, plural, verbs } = resource;
    const collection = `${pathOf(resource)}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}`;
    return [collection, `${collection}/{name}`].map((path, isItem) => [
      path,
      Object.fromEntries(
        operations
          .filter(({ verb, isOfItem }) => verbs.includes(verb) && isOfItem === (isItem === 1))
          .map(({ method, verb, parameters }) => [
            method,
            {
              operationId: `${verb}${kind}`,
              parameters: parameters.map((name) => inQuery({ name, in: 'query' })),
              responses: { 200: { description: 'OK' } },
              'x-kubernetes-action': method,
              'x-kubernetes-group-version-kind': { group, version, kind },
            },
          ]),
      ),
    ]);
  });
  return Object.fromEntries(paths);
}

function schemasOf(members: readonly Resource[], prefix: string): Json {
  const kinds = new Map(members.map((resource) => [typeOfKind(resource), resource]));
  const names = new Set(kinds.keys());
  // The set grows while it is walked: each type brings those that it refers to.
  for (const name of names) {
    for (const { type } of typeNamed(name).fields.values()) {
      const next = objectIn(type);
      if (next !== undefined) names.add(next);
    }
  }
  return Object.fromEntries(
    [...names].map((name) => [schemaName(name), schemaOf(typeNamed(name), prefix, kinds.get(name))]),
  );
}

function objectIn(type: FieldType): string | undefined {
  if (typeof type === 'string') return undefined;
  if ('object' in type) return type.object;
  return objectIn('list' in type ? type.list : type.map);
}

/** `V1DeploymentSpec` as the API calls it, near enough: kubectl prints what stands after the last point. */
function schemaName(name: string): string {
  const [, version = '', type = ''] = /^(?:[A-Z][a-z]+)?(V\d[a-z\d]*)([A-Z].*)$/.exec(name) ?? [];
  return `io.k8s.api.${version.toLowerCase()}.${type}`;
}

function schemaOf({ description, fields }: ObjectType, prefix: string, kind?: Resource): Json {
  const required = [...fields].filter(([, field]) => field.isRequired).map(([name]) => name);
  return {
    type: 'object',
    description,
    ...(required.length === 0 ? {} : { required }),
    properties: Object.fromEntries([...fields].map(([name, field]) => [name, propertyOf(field, prefix)])),
    ...(kind && {
      'x-kubernetes-group-version-kind': [{ group: kind.group, version: kind.version, kind: kind.kind }],
    }),
  };
}

function propertyOf({ type, description, mergeKey }: Field, prefix: string): Json {
  const shape = shapeOf(type, prefix);
  // In version 3 nothing beside a reference counts.
  if ('$ref' in shape && prefix !== '#/definitions/') return { description, allOf: [shape] };
  if (mergeKey === undefined || !('items' in shape)) return { description, ...shape };
  return {
    description,
    ...shape,
    'x-kubernetes-patch-merge-key': mergeKey,
    'x-kubernetes-patch-strategy': 'merge',
  };
}

function shapeOf(type: FieldType, prefix: string): Json {
  if (typeof type !== 'string') {
    if ('list' in type) return { type: 'array', items: shapeOf(type.list, prefix) };
    if ('map' in type) return { type: 'object', additionalProperties: shapeOf(type.map, prefix) };
    return { $ref: `${prefix}${schemaName(type.object)}` };
  }
  switch (type) {
    case 'number':
      return { type: 'integer' };
    case 'time':
      return { type: 'string', format: 'date-time' };
    case 'int-or-string':
      return { type: 'string', format: 'int-or-string' };
    case 'any':
      return { type: 'object' };
    case 'quantity':
      return { type: 'string' };
    default:
      return { type };
  }
}
