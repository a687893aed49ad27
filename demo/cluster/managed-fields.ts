import { isDeepStrictEqual } from 'node:util';
import { type FieldPath, fieldsOf, readFields, writeFields } from './field-sets.ts';
import type { KubeObject, ManagedFields } from './shapes.ts';

/** Who writes, as `?fieldManager=` names them, and to which subresource. */
export interface Writer {
  readonly manager: string;
  readonly subresource?: 'scale' | 'status' | undefined;
  /** The fields that a server-side apply names: the writer owns these and no others. */
  readonly applied?: ReadonlySet<FieldPath>;
}

/**
 * Who owns which field after a write: the writer gets what it changed, or what it applied; everybody else loses what
 * was changed and what was removed, and an entry without fields goes. `time` is the moment of the write.
 */
export function trackFields(
  before: KubeObject | undefined,
  after: KubeObject,
  writer: Writer,
  time: string,
): readonly ManagedFields[] {
  const old = before === undefined ? new Map<FieldPath, unknown>() : fieldsOf(before);
  const now = fieldsOf(after);
  const changed = new Set(
    [...now].filter(([path, value]) => !isDeepStrictEqual(old.get(path), value)).map(([path]) => path),
  );
  const mine: ManagedFields = {
    manager: writer.manager,
    operation: writer.applied === undefined ? 'Update' : 'Apply',
    apiVersion: after.apiVersion,
    time,
    fieldsType: 'FieldsV1',
    fieldsV1: {},
    ...(writer.subresource === undefined ? {} : { subresource: writer.subresource }),
  };
  const held = (after.metadata.managedFields ?? []).map((entry) => ({
    entry,
    paths: readFields(entry).filter((path) => now.has(path)),
  }));
  const own = held.find(({ entry }) => isSameWriter(entry, mine));
  const ownPaths = writer.applied ?? new Set([...(own?.paths ?? []), ...changed]);
  const isNew = changed.size > 0 || !isDeepStrictEqual(new Set(own?.paths), ownPaths);
  const tracked = held
    .filter((each) => each !== own)
    .map(({ entry, paths }) => {
      return { ...entry, fieldsV1: writeFields(paths.filter((path) => !changed.has(path))) };
    });
  const ownEntry = { ...(isNew ? mine : (own?.entry ?? mine)), fieldsV1: writeFields(ownPaths) };
  return [...tracked, ownEntry]
    .filter(({ fieldsV1 }) => Object.keys(fieldsV1).length > 0)
    .toSorted((one, other) => (orderOf(one) < orderOf(other) ? -1 : 1));
}

/** Entries stand in the order of the real server: what is applied first, then by time. */
function orderOf({ operation, time, manager, subresource = '' }: ManagedFields): string {
  return [operation, time, manager, subresource].join('\0');
}

function isSameWriter(one: ManagedFields, other: ManagedFields): boolean {
  return (
    one.manager === other.manager &&
    one.operation === other.operation &&
    one.apiVersion === other.apiVersion &&
    one.subresource === other.subresource
  );
}
