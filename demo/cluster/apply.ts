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
  const gone = entries
    .filter(isMine)
    .flatMap(readFields)
    .filter((path) => !kept.has(path));
  return without(merge(live, configuration, []), new Set(gone)) as Proposal;
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

/** The value with what is wanted. */
function merge(is: unknown, wanted: unknown, path: readonly string[]): unknown {
  const next = membersOf(wanted, path.at(-1));
  const old = membersOf(is, path.at(-1));
  if (next === undefined || old === undefined || Array.isArray(is) !== Array.isArray(wanted)) return wanted;
  const before = new Map(old);
  const after = new Map(next);
  const merged = mergedOrder([...before.keys()], [...after.keys()]).map((step) => {
    if (!after.has(step)) return [step, before.get(step)] as const;
    return [step, merge(before.get(step), after.get(step), [...path, step])] as const;
  });
  return madeOf(new Map(merged), Array.isArray(wanted));
}

/** What both name comes in the wanted order, and what one alone names near to where it stood, as the real server has it. */
function mergedOrder(live: readonly string[], wanted: readonly string[]): readonly string[] {
  const shared = wanted.filter((step) => live.includes(step));
  const order: string[] = [];
  let at = 0;
  let next = 0;
  while (at < live.length || next < wanted.length) {
    const [old, asked] = [live[at], wanted[next]];
    const isWanted = old !== undefined && wanted.includes(old);
    if (old !== undefined && !isWanted) {
      order.push(old);
      at += 1;
    } else if (old !== undefined && (order.includes(old) || (old !== asked && shared[0] !== old))) at += 1;
    else if (asked !== undefined) {
      order.push(asked);
      if (shared[0] === asked) shared.shift();
      if (old === asked) at += 1;
      next += 1;
    }
  }
  return order;
}

/** The value without the fields that are gone. What is empty then goes too, and an item goes whole with its name. */
function without(value: unknown, gone: ReadonlySet<FieldPath>, path: readonly string[] = []): unknown {
  const members = membersOf(value, path.at(-1));
  if (members === undefined || members.length === 0) {
    return gone.has(JSON.stringify(path)) ? undefined : value;
  }
  const last = path.at(-1) ?? '';
  const names = last.startsWith('k:')
    ? Object.keys(JSON.parse(last.slice(2))).map((name) => `f:${name}`)
    : [];
  if (names.length > 0 && gone.has(JSON.stringify([...path, names[0]]))) return undefined;
  const rest = members
    .map(
      ([step, member]) =>
        [step, names.includes(step) ? member : without(member, gone, [...path, step])] as const,
    )
    .filter(([, member]) => member !== undefined);
  return rest.length === 0 ? undefined : madeOf(new Map(rest), Array.isArray(value));
}

function madeOf(members: ReadonlyMap<string, unknown>, isList: boolean): unknown {
  if (isList) return [...members.values()];
  return Object.fromEntries([...members].map(([step, member]) => [step.slice(2), member]));
}
