import type { Generated, Kysely } from 'kysely';
import { openKysely } from '../server/database.ts';
import type { AuditRow, ChainLink } from './audit/chain.ts';

/** How far an operation is. Only `previewed` rows can still be started, and each at most once. */
export type OperationState =
  | 'previewed' // shown to the user, nothing has happened
  | 'started' // confirmed; whether it has had its effect is not known yet
  | 'applied' // it had its effect; how that ends is being watched
  | 'done'
  | 'failed'
  | 'unknown'
  | 'cancelled' // it has not happened and never will
  | 'forged'; // not written by the platform, or not like this

/** What was shown of a change. Times are Unix milliseconds; `input`, `lines`, `before_value` and `after_value` are JSON. */
export interface PreviewedRow {
  id: string;
  user: string;
  operation: string;
  unit: string;
  target: string;
  input: string;
  lines: string;
  risk: string;
  code: string | null;
  hash: string;
  version: string;
  before_value: string;
  after_value: string;
  created_at: number;
  expires_at: number;
}

/** One change, from its preview to its end. */
export interface OperationTable extends PreviewedRow {
  state: OperationState;
  started_at: number | null;
  finished_at: number | null;
  lease_owner: string | null;
  lease_until: number | null;
  text: string | null;
  /** See records.ts. */
  mac: string | null;
}

/** What a user has yet to be told, or was told or is not told any more. `id` is its idempotency key. */
export interface OutboxTable {
  seq: number;
  id: string;
  user: string;
  text: string;
  state: 'waiting' | 'sent' | 'cancelled' | 'undeliverable' | 'forged';
  due_at: number;
  tries: number;
  problem: string | null;
  ended_at: number | null;
  lease_until: number | null;
  /** See records.ts. */
  mac: string | null;
}

export interface Tables {
  operations: OperationTable;
  outbox: Omit<OutboxTable, 'seq'> & { seq: Generated<number> };
  audit: AuditRow & { readonly mac: string };
  /** The one row that says where the chain ends. */
  audit_head: ChainLink & { readonly id: number };
  /** How many codes a user has tried for an operation; counted until then. */
  code_tries: {
    readonly user: string;
    readonly operation: string;
    readonly tries: number;
    readonly ends_at: number;
  };
  /** One row for each operation with limits: who has it locked may begin one. */
  operation_limits: { readonly operation: string; readonly begun: number };
  /** Reads of operations with limits, for an hour; one runs until `ends_at`. */
  limited_reads: {
    readonly id: string;
    readonly operation: string;
    readonly began_at: number;
    readonly ends_at: number;
  };
  /** Tokens that were used, kept a while past their end. */
  seen_tokens: { readonly jti: string; readonly expires_at: number };
}

/** The platform's own database. */
export type Database = Kysely<Tables>;

/**
 * Opens the platform's database; no connection is made before the first query. The URL is never logged. `onRetry` hears of every
 * transaction that is run again (server/database.ts).
 */
export function openDatabase(url: string, onRetry?: () => void): Database {
  return openKysely<Tables>(url, { onRetry });
}
