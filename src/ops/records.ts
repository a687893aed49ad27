import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Database, OperationTable, OutboxTable } from './database.ts';
import { canonicalJson } from './json.ts';

/** What its MAC covers of a row in `operations`: all that decides what is run, for whom, and what is told of it. */
const OPERATION = [
  'id',
  'user',
  'operation',
  'unit',
  'target',
  'input',
  'lines',
  'risk',
  'code',
  'hash',
  'version',
  'before_value',
  'after_value',
  'created_at',
  'expires_at',
  'state',
  'started_at',
  'text',
] as const satisfies (keyof OperationTable)[];
const MESSAGE = ['id', 'user', 'text'] as const satisfies (keyof OutboxTable)[];

export type SealedOperation = Pick<OperationTable, (typeof OPERATION)[number]>;
export type SealedMessage = Pick<OutboxTable, (typeof MESSAGE)[number]>;

/** The platform's own tables, and the MACs by which it knows its own rows. Without the key of the audit none can be made. */
export type Records = ReturnType<typeof createRecords>;

/** A row that the platform did not write, or not like this. */
export interface Forgery {
  readonly table: 'operations' | 'outbox';
  readonly id: string;
  readonly user: string;
  readonly operation: string;
  readonly target: string;
}

/** Makes them; `onForgery` hears once of each row whose MAC does not fit, which is then neither run nor told. */
export function createRecords(db: Database, auditKey: string, onForgery: (found: Forgery) => void) {
  // A key of its own, so that no MAC of the audit can ever stand for one of these.
  const key = Buffer.from(hkdfSync('sha256', auditKey, '', 'keypad-records-1', 32));
  const mac = (table: string, values: readonly unknown[]): string => {
    const stored = values.map((value) =>
      typeof value === 'string' ? value.toWellFormed() : (value ?? null),
    );
    return createHmac('sha256', key)
      .update(canonicalJson([table, stored]))
      .digest('hex');
  };
  const operationMac = (row: SealedOperation): string =>
    mac(
      'operations',
      OPERATION.map((name) => row[name]),
    );
  const messageMac = (row: SealedMessage): string =>
    mac(
      'outbox',
      MESSAGE.map((name) => row[name]),
    );
  return {
    db,
    onForgery,
    operationMac,
    messageMac,
    isOperation: (row: SealedOperation & Sealed): boolean => isSame(row.mac, operationMac(row)),
    isMessage: (row: SealedMessage & Sealed): boolean => isSame(row.mac, messageMac(row)),
  };
}

interface Sealed {
  readonly mac: string | null;
}

function isSame(mac: string | null, expected: string): boolean {
  return mac?.length === expected.length && timingSafeEqual(Buffer.from(mac), Buffer.from(expected));
}
