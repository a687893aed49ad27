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
  return type === 'application/merge-patch+json' ? merge(target, patch) : mergeStrategic('', target, patch);
}

/** RFC 7396: null removes, an object merges, everything else replaces. */
function merge(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  return mergeMembers(target, patch, merge);
}

/** As a merge patch, but lists with a merge key are merged item by item, and `$patch` says replace or delete. */
function mergeStrategic(field: string, target: unknown, patch: unknown): unknown {
  if (Array.isArray(patch)) return mergeList(mergeKeyOf(field), target, patch);
  if (!isRecord(patch)) return patch;
  const members = Object.fromEntries(Object.entries(patch).filter(([name]) => !name.startsWith('$')));
  const base = patch.$patch === 'replace' ? {} : target;
  return mergeMembers(base, members, (old, next, name) => mergeStrategic(name, old, next));
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

function mergeList(key: string | undefined, target: unknown, patch: readonly unknown[]): readonly unknown[] {
  if (key === undefined || !patch.every(isRecord)) return patch;
  const replaces = patch.some((item) => item.$patch === 'replace');
  let merged: readonly unknown[] = Array.isArray(target) && !replaces ? target : [];
  for (const item of patch.filter((each) => each.$patch !== 'replace')) {
    const at = merged.findIndex((old) => isRecord(old) && old[key] === item[key]);
    if (item.$patch === 'delete') merged = merged.filter((_, index) => index !== at);
    else if (at === -1) merged = [...merged, mergeStrategic('', {}, item)];
    else merged = merged.with(at, mergeStrategic('', merged[at], item));
  }
  return merged;
}
