import { ApiFailure, badRequest } from './failure.ts';
import { isRecord } from './json.ts';
import { applyJsonPatch } from './json-patch.ts';
import { mergeKeyOf } from './merge-keys.ts';

/** The types of patches; server-side apply, which is none, is `APPLY`. */
export const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
] as const;

/** The object with the patch applied. Throws 400 for a patch of the wrong form, 415 for an unknown type. */
export function applyPatch(type: string, target: unknown, patch: unknown): unknown {
  if (type === 'application/json-patch+json') return applyJsonPatch(target, patch);
  if (!patchTypes.some((known) => known === type)) {
    const message = `the body of the request was in an unknown format - accepted media types include: ${patchTypes.join(', ')}`;
    throw new ApiFailure(415, 'UnsupportedMediaType', message);
  }
  if (!isRecord(patch)) throw badRequest('a merge patch must be an object');
  return type === 'application/merge-patch+json' ? merge(target, patch) : mergeStrategic(target, patch);
}

/** RFC 7396: null removes, an object merges, everything else replaces. */
function merge(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  return mergeMembers(target, patch, merge);
}

/** As a merge patch, but lists with a merge key are merged item by item, and `$patch` says replace or delete. */
function mergeStrategic(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const members = Object.fromEntries(Object.entries(patch).filter(([name]) => !name.startsWith('$')));
  const base = patch.$patch === 'replace' ? {} : target;
  return mergeMembers(base, members, (old, next, name) => {
    const key = mergeKeyOf(name);
    if (!Array.isArray(next)) return mergeStrategic(old, next);
    if (key === undefined || !next.every(isRecord)) return next;
    const order = patch[`$setElementOrder/${name}`];
    return mergeList(key, { old, patch: next, order: Array.isArray(order) ? order : next });
  });
}

function mergeMembers(
  target: unknown,
  patch: Readonly<Record<string, unknown>>,
  mergeMember: (old: unknown, next: unknown, name: string) => unknown,
): Readonly<Record<string, unknown>> {
  const merged = new Map(Object.entries(isRecord(target) ? target : {}));
  for (const [name, next] of Object.entries(patch)) {
    if (next === null) merged.delete(name);
    else merged.set(name, mergeMember(merged.get(name), next, name));
  }
  return Object.fromEntries(merged);
}

type Item = Readonly<Record<string, unknown>>;

/** A list whose items have names; what is new is taken as it is. `order` holds the names that the patch knows. */
function mergeList(
  key: string,
  {
    old,
    patch,
    order,
  }: { readonly old: unknown; readonly patch: readonly Item[]; readonly order: readonly unknown[] },
): readonly unknown[] {
  const replaces = patch.some((item) => item.$patch === 'replace');
  // The real server does not keep an empty list.
  const isThere = Array.isArray(old) && old.length > 0 && !replaces;
  const live: readonly Item[] = isThere ? old.filter(isRecord) : [];
  let merged = live;
  for (const item of patch.filter((each) => each.$patch !== 'replace')) {
    const at = isThere ? merged.findIndex((each) => each[key] === item[key]) : -1;
    if (item.$patch === 'delete') merged = merged.filter((_, index) => index !== at);
    else if (at === -1) merged = [...merged, mergeStrategic({}, item) as Item];
    else merged = merged.with(at, mergeStrategic(merged[at], item) as Item);
  }
  return isThere ? inOrder(merged, { live, key, order }) : merged;
}

/** Items come in the order of the patch; others stand before the first that they stood before. */
function inOrder(
  items: readonly Item[],
  {
    live,
    key,
    order,
  }: { readonly live: readonly Item[]; readonly key: string; readonly order: readonly unknown[] },
): readonly Item[] {
  const names = order.map((each) => (isRecord(each) ? each[key] : undefined));
  const place = (item: Item) => live.findIndex((each) => each[key] === item[key]);
  const known = items.filter((item) => names.includes(item[key]));
  const others = items.filter((item) => !names.includes(item[key]));
  const sorted = known.toSorted((one, other) => names.indexOf(one[key]) - names.indexOf(other[key]));
  const result: Item[] = [];
  for (const item of sorted) {
    while (others[0] !== undefined && place(item) > place(others[0])) result.push(...others.splice(0, 1));
    result.push(item);
  }
  return [...result, ...others];
}
