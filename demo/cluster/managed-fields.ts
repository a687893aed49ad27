import { isDeepStrictEqual } from 'node:util';
import { isRecord } from './json.ts';
import { mergeKeyOf } from './merge-keys.ts';
import type { KubeObject, ManagedFields } from './shapes.ts';

/** Who writes, as `?fieldManager=` names them, and to which subresource. */
export interface Writer {
  readonly manager: string;
  readonly subresource?: 'scale' | 'status' | undefined;
}

/** Fields that nobody owns: the server keeps them. */
const ownerless = new Set([
  'f:apiVersion',
  'f:kind',
  ...['name', 'namespace', 'uid', 'resourceVersion', 'generation', 'managedFields', 'generateName'].map(
    ofMetadata,
  ),
  ...['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds'].map(ofMetadata),
]);

function ofMetadata(field: string): string {
  return `f:metadata f:${field}`;
}

/**
 * Who owns which field after a write: the writer gets what it changed, everybody else loses that and what was
 * removed, and an entry without fields goes. `time` is the moment of the write.
 */
export function trackFields(
  before: KubeObject | undefined,
  after: KubeObject,
  writer: Writer,
  time: string,
): readonly ManagedFields[] {
  const old = leavesOf(before);
  const now = leavesOf(after);
  const changed = [...now].filter(([path, value]) => !isDeepStrictEqual(old.get(path), value));
  const taken = new Set(changed.map(([path]) => path));
  const mine: ManagedFields = {
    manager: writer.manager,
    operation: 'Update',
    apiVersion: after.apiVersion,
    time,
    fieldsType: 'FieldsV1',
    fieldsV1: {},
    ...(writer.subresource === undefined ? {} : { subresource: writer.subresource }),
  };
  const entries = before?.metadata.managedFields ?? [];
  const held = entries.map((entry) => ({
    entry,
    paths: readFields(entry.fieldsV1).filter((path) => now.has(path)),
  }));
  const others = held.filter(({ entry }) => !isSameWriter(entry, mine));
  const own = held.find(({ entry }) => isSameWriter(entry, mine));
  const kept = others.map(({ entry, paths }) =>
    withPaths(
      entry,
      paths.filter((path) => !taken.has(path)),
    ),
  );
  const ownPaths = [...new Set([...(own?.paths ?? []), ...taken])];
  const ownEntry = withPaths(taken.size > 0 ? mine : (own?.entry ?? mine), ownPaths);
  return [...kept, ownEntry].filter((entry) => Object.keys(entry.fieldsV1).length > 0);
}

function isSameWriter(one: ManagedFields, other: ManagedFields): boolean {
  return (
    one.manager === other.manager &&
    one.apiVersion === other.apiVersion &&
    one.subresource === other.subresource
  );
}

/** The leaf values of an object, each under its path written as JSON. */
function leavesOf(object: KubeObject | undefined): ReadonlyMap<string, unknown> {
  const leaves = new Map<string, unknown>();
  const walk = (value: unknown, path: readonly string[], field: string): void => {
    if (path.length <= 2 && ownerless.has(path.join(' '))) return;
    const key = mergeKeyOf(field);
    if (isRecord(value) && Object.keys(value).length > 0) {
      for (const [name, member] of Object.entries(value)) walk(member, [...path, `f:${name}`], name);
    } else if (
      key !== undefined &&
      Array.isArray(value) &&
      value.every((item) => isRecord(item) && key in item)
    ) {
      for (const item of value) walk(item, [...path, `k:${JSON.stringify({ [key]: item[key] })}`], '');
    } else leaves.set(JSON.stringify(path), value);
  };
  if (object !== undefined) walk(object, [], '');
  return leaves;
}

function withPaths(entry: ManagedFields, paths: readonly string[]): ManagedFields {
  const fieldsV1: Record<string, unknown> = {};
  for (const path of paths) {
    let level = fieldsV1;
    for (const step of JSON.parse(path) as readonly string[]) {
      const next = (level[step] ?? {}) as Record<string, unknown>;
      level[step] = next;
      level = next;
    }
  }
  return { ...entry, fieldsV1 };
}

function readFields(fields: Readonly<Record<string, unknown>>): readonly string[] {
  const paths: string[] = [];
  const walk = (value: unknown, path: readonly string[]): void => {
    const members = isRecord(value) ? Object.entries(value) : [];
    if (members.length === 0 && path.length > 0) paths.push(JSON.stringify(path));
    for (const [step, member] of members) walk(member, [...path, step]);
  };
  walk(fields, []);
  return paths;
}
