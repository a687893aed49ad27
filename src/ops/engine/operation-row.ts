import { hash } from 'node:crypto';
import type { AttemptDetails } from '../audit/audit.ts';
import type { OperationTable } from '../database.ts';
import { canonicalJson } from '../json.ts';
import type { ConfirmedChange } from '../operations/operation.ts';

/** A row of the operations table. */
export type OperationRow = Readonly<OperationTable>;

/**
 * The hash of a preview: of all that its user relies on, and of the `definition` of the operation then (operations/load.ts).
 * It is that of no other preview.
 */
export function previewHash(
  row: Pick<OperationRow, 'id' | 'user' | 'operation' | 'input' | 'lines' | 'version'>,
  definition: string,
): string {
  const { id, user, operation, input, lines, version } = row;
  const covered = [id, user, operation, definition, JSON.parse(input), JSON.parse(lines), version];
  return hash('sha256', canonicalJson(covered), 'base64url');
}

/** The confirmed change that a row describes. */
export function changeOf(row: OperationRow): ConfirmedChange {
  const { id, target, version, started_at } = row;
  return {
    id,
    target,
    version,
    input: JSON.parse(row.input),
    before: JSON.parse(row.before_value),
    startedAt: started_at ?? 0,
  };
}

/** What the row of a change says of an attempt at it. */
export function detailsOf(row: OperationRow): AttemptDetails {
  const { user, operation, unit, target, hash, input, before_value, after_value } = row;
  return { user, operation, unit, target, hash, input, before_value, after_value };
}
