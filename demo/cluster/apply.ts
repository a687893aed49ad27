import { isDeepStrictEqual } from 'node:util';
import type { Proposal } from './admission.ts';
import { ApiFailure } from './failure.ts';
import { describeField, type FieldPath, fieldsOf, membersOf, readFields } from './field-sets.ts';
import type { KubeObject, ManagedFields } from './shapes.ts';

/** A server-side apply: who wants which fields, and whether others are overruled. */
export interface Application {
  readonly manager: string;
  readonly configuration: Proposal;
  readonly force: boolean;
}

/**
 * The object after a server-side apply. Maps and lists whose items have names are merged, all else is replaced; what the
 * manager applied before and names no more is removed, unless somebody else owns it too. Throws 409 when a field that
 * another manager owns would get another value, unless it is forced. A list whose items have no names is one field, also
 * where the real server knows a set (`finalizers`).
 */
export function applyTo(live: KubeObject, application: Application): Proposal {
  const { manager, configuration, force } = application;
  const wanted = fieldsOf(configuration);
  const entries = live.metadata.managedFields ?? [];
  const isMine = (entry: ManagedFields) =>
    entry.manager === manager && entry.operation === 'Apply' && entry.subresource === undefined;
  const others = entries.filter((entry) => !isMine(entry));
  const conflicts = force ? [] : conflictsOf(live, wanted, others);
  const forgiven = manager === 'kubectl' ? lastApplied(live) : new Set<FieldPath>();
  const serious = conflicts.filter(({ path }) => !forgiven.has(path));
  if (serious.length > 0) throw applyConflict(serious);
  const kept = new Set([...wanted.keys(), ...others.flatMap(readFields)]);
  const gone = new Set(
    entries
      .filter(isMine)
      .flatMap(readFields)
      .filter((path) => !kept.has(path)),
  );
  return without(merge(live, configuration, []), { gone, kept: [...kept] }) as Proposal;
}

interface Conflict {
  readonly owner: ManagedFields;
  readonly path: FieldPath;
}

function conflictsOf(
  live: KubeObject,
  wanted: ReadonlyMap<FieldPath, unknown>,
  others: readonly ManagedFields[],
): readonly Conflict[] {
  const is = fieldsOf(live);
  const isMoved = (path: FieldPath) => wanted.has(path) && !isDeepStrictEqual(is.get(path), wanted.get(path));
  return others.flatMap((owner) =>
    readFields(owner)
      .filter(isMoved)
      .map((path) => ({ owner, path })),
  );
}

/**
 * What client-side apply had applied and still stands so: `kubectl apply --server-side` takes it over without a conflict.
 */
function lastApplied(live: KubeObject): ReadonlySet<FieldPath> {
  try {
    const text = live.metadata.annotations?.['kubectl.kubernetes.io/last-applied-configuration'] ?? '';
    const is = fieldsOf(live);
    const applied = [...fieldsOf(JSON.parse(text))];
    return new Set(
      applied.filter(([path, value]) => isDeepStrictEqual(is.get(path), value)).map(([path]) => path),
    );
  } catch {
    return new Set();
  }
}

/** 409 in the words of the API server. */
function applyConflict(conflicts: readonly Conflict[]): ApiFailure {
  const [first] = conflicts;
  const byOwner = Map.groupBy(conflicts, ({ owner }) => nameOf(owner));
  const list = [...byOwner]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([name, members]) => [
      `conflicts with ${name}:`,
      ...members.map(({ path }) => `- ${describeField(path)}`),
    ]);
  const message =
    first !== undefined && conflicts.length === 1
      ? `Apply failed with 1 conflict: conflict with ${nameOf(first.owner)}: ${describeField(first.path)}`
      : `Apply failed with ${conflicts.length} conflicts: ${list.join('\n')}`;
  const causes = conflicts.map(({ owner, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${nameOf(owner)}`,
    field: describeField(path),
  }));
  return new ApiFailure(409, 'Conflict', message, { causes });
}

function nameOf({ manager, operation, subresource, apiVersion }: ManagedFields): string {
  const whole = `${JSON.stringify(manager)}${subresource === undefined ? '' : ` with subresource "${subresource}"`}`;
  return operation === 'Apply' ? whole : `${whole} using ${apiVersion}`;
}

/** The value with what is wanted. Items of a list come in the wanted order; others go before what they stood before. */
function merge(is: unknown, wanted: unknown, path: readonly string[]): unknown {
  const next = membersOf(wanted, path.at(-1));
  const old = membersOf(is, path.at(-1));
  if (next === undefined || old === undefined || Array.isArray(is) !== Array.isArray(wanted)) return wanted;
  const steps = new Set(next.map(([step]) => step));
  const rest = new Map(old);
  const merged = new Map<string, unknown>();
  const passOthers = (): void => {
    for (const [step, value] of rest) {
      if (steps.has(step)) return;
      merged.set(step, value);
      rest.delete(step);
    }
  };
  for (const [step, member] of next) {
    passOthers();
    merged.set(step, merge(rest.get(step), member, [...path, step]));
    rest.delete(step);
  }
  passOthers();
  return madeOf(merged, Array.isArray(wanted));
}

/**
 * The value without the fields that are gone. What is empty then goes too, and an item goes whole with its name, unless
 * somebody owns a field in it.
 */
function without(
  value: unknown,
  fields: { readonly gone: ReadonlySet<FieldPath>; readonly kept: readonly FieldPath[] },
  path: readonly string[] = [],
): unknown {
  const members = membersOf(value, path.at(-1));
  if (members === undefined || members.length === 0) {
    return fields.gone.has(JSON.stringify(path)) ? undefined : value;
  }
  const last = path.at(-1) ?? '';
  const names = last.startsWith('k:')
    ? Object.keys(JSON.parse(last.slice(2))).map((name) => `f:${name}`)
    : [];
  const within = `${JSON.stringify(path).slice(0, -1)},`;
  const isNamed = names.every((name) => !fields.gone.has(JSON.stringify([...path, name])));
  const isHeld = isNamed || fields.kept.some((each) => each.startsWith(within));
  if (!isHeld) return undefined;
  const rest = members
    .map(
      ([step, member]) =>
        [step, names.includes(step) ? member : without(member, fields, [...path, step])] as const,
    )
    .filter(([, member]) => member !== undefined);
  return rest.length === 0 ? undefined : madeOf(new Map(rest), Array.isArray(value));
}

function madeOf(members: ReadonlyMap<string, unknown>, isList: boolean): unknown {
  if (isList) return [...members.values()];
  return Object.fromEntries([...members].map(([step, member]) => [step.slice(2), member]));
}
