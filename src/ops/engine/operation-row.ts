import type { AttemptDetails } from '../audit/audit.ts';
import type { OperationTable } from '../database.ts';
import type { ConfirmedChange } from '../operations/operation.ts';

/** A row of the operations table. */
export type OperationRow = Readonly<OperationTable>;

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
