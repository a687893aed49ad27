import { isRecord } from './json.ts';
import { isAtomic, itemNameOf, mergeKeyOf } from './merge-keys.ts';
import type { ManagedFields } from './shapes.ts';

/**
 * A field of an object as `fieldsV1` writes it, from the outside to the inside and as JSON: `f:` and a name, or `k:` and
 * what names an item of a list that is really a map. Every other list is one field.
 */
export type FieldPath = string;

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

/** The fields of an object with their values, those apart that nobody owns. */
export function fieldsOf(object: Readonly<Record<string, unknown>>): ReadonlyMap<FieldPath, unknown> {
  const fields = new Map<FieldPath, unknown>();
  const walk = (value: unknown, path: readonly string[]): void => {
    if (path.length <= 2 && ownerless.has(path.join(' '))) return;
    const members = membersOf(value, path.at(-1));
    if (members === undefined || isEmptyObject(value)) fields.set(JSON.stringify(path), value);
    else for (const [step, member] of members) walk(member, [...path, step]);
  };
  walk(object, []);
  return fields;
}

/** An empty list of items with names is nothing that anybody could own. */
function isEmptyObject(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).length === 0;
}

/** What stands in a value, each by its step of a path; undefined for what is one field. `last` is the step to the value. */
export function membersOf(
  value: unknown,
  last: string | undefined,
): readonly (readonly [step: string, member: unknown])[] | undefined {
  const field = last?.slice(2) ?? '';
  if (isRecord(value) && isAtomic(field)) return undefined;
  if (isRecord(value)) return Object.entries(value).map(([name, member]) => [`f:${name}`, member] as const);
  if (!Array.isArray(value) || mergeKeyOf(field) === undefined) return undefined;
  const named = value.map((item) => [itemNameOf(field, item), item] as const);
  const names = new Set(named.map(([name]) => name));
  if (names.has(undefined) || names.size < named.length) return undefined;
  return named.map(([name, item]) => [`k:${name}`, item] as const);
}

/** The fields that an entry of `managedFields` names. */
export function readFields({ fieldsV1 }: ManagedFields): readonly FieldPath[] {
  const paths: FieldPath[] = [];
  const walk = (value: unknown, path: readonly string[]): void => {
    const members = isRecord(value) ? Object.entries(value).filter(([step]) => step !== '.') : [];
    if (members.length === 0 && path.length > 0) paths.push(JSON.stringify(path));
    for (const [step, member] of members) walk(member, [...path, step]);
  };
  walk(fieldsV1, []);
  return paths;
}

/** Fields as an entry of `managedFields` names them. */
export function writeFields(paths: Iterable<FieldPath>): Readonly<Record<string, unknown>> {
  const fieldsV1: Record<string, unknown> = {};
  for (const path of paths) {
    let level = fieldsV1;
    for (const step of JSON.parse(path) as readonly string[]) {
      const next = (level[step] ?? {}) as Record<string, unknown>;
      level[step] = next;
      level = next;
    }
  }
  return fieldsV1;
}

/** A field as messages name it: `.spec.template.spec.containers[name="web"].image`. */
export function describeField(path: FieldPath): string {
  const steps = JSON.parse(path) as readonly string[];
  return steps
    .map((step) => {
      if (step.startsWith('f:')) return `.${step.slice(2)}`;
      const keys = Object.entries(JSON.parse(step.slice(2)) as Readonly<Record<string, unknown>>);
      return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
    })
    .join('');
}
