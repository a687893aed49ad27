import { randomUUID } from 'node:crypto';
import { Refused } from '../../errors.ts';
import { transact } from '../../server/database.ts';
import type { Database } from '../database.ts';
import type { Operation } from '../operations/operation.ts';

/** An operation whose limits are to be kept. */
export interface Limited {
  readonly name: string;
  readonly operation: Pick<Operation, 'kind' | 'title' | 'limits'>;
}

const HOUR_MS = 3_600_000;
/** A read of a replica that died counts for so long: longer than any read takes. */
const READ_MS = 60_000;

/** The reads that have limits. Times are Unix milliseconds. */
export type LimitedReads = ReturnType<typeof createLimitedReads>;

/** Opens the count of reads with limits, over all replicas. */
export function createLimitedReads(db: Database) {
  return {
    /** Runs a read within its limits, if it has any. Throws Refused (`busy`) where it would be one too many. */
    async during<T>(limited: Limited, now: () => number, read: () => Promise<T>): Promise<T> {
      if (limited.operation.limits === undefined) return read();
      const id = randomUUID();
      await transact(db, async (transaction) => {
        const begins = now();
        await lockLimits(transaction, limited, begins);
        const row = { id, operation: limited.name, began_at: begins, ends_at: begins + READ_MS };
        await transaction.insertInto('limited_reads').values(row).execute();
      });
      try {
        return await read();
      } finally {
        await db.updateTable('limited_reads').set({ ends_at: now() }).where('id', '=', id).execute();
      }
    },
    /** Forgets reads that count no more. */
    async drop(now: number): Promise<void> {
      const old = db.deleteFrom('limited_reads').where('began_at', '<', now - HOUR_MS);
      await old.limit(10_000).execute();
    },
  };
}

/**
 * Lets one more begin in this transaction, and no other replica another one of the same operation before it is committed.
 * Throws Refused (`busy`).
 */
export async function lockLimits(transaction: Database, limited: Limited, now: number): Promise<void> {
  if (limited.operation.limits === undefined) return;
  const lock = transaction.insertInto('operation_limits').values({ operation: limited.name, begun: 1 });
  // The row is locked from here on; what is counted next is read after that.
  await lock.onDuplicateKeyUpdate((row) => ({ begun: row('begun', '+', 1) })).execute();
  await checkLimits(transaction, limited, now);
}

/** Throws Refused (`busy`) where one more would be over the limits now; until it begins another one may have been faster. */
export async function checkLimits(
  db: Database,
  { name, operation: { kind, title, limits } }: Limited,
  now: number,
): Promise<void> {
  const { running, perHour } = limits ?? {};
  const counts = kind === 'read' ? countsOfReads(db, name, now) : countsOfChanges(db, name);
  if (running !== undefined) {
    const { count } = await counts.running().executeTakeFirstOrThrow();
    if (Number(count) >= running) {
      throw new Refused(
        'busy',
        `「${title}」同时最多 ${running} 个，现在已有 ${count} 个在执行，请等它结束再试`,
      );
    }
  }
  if (perHour !== undefined) {
    const begun = await counts.begunAfter(now - HOUR_MS, perHour).execute();
    const last = begun[perHour - 1];
    if (last !== undefined) {
      const minutes = Math.max(1, Math.ceil((Number(last.at) + HOUR_MS - now) / 60_000));
      throw new Refused('busy', `「${title}」一小时最多 ${perHour} 次，请过 ${minutes} 分钟再试`);
    }
  }
}

function countsOfChanges(db: Database, name: string) {
  const rows = db.selectFrom('operations').where('operation', '=', name);
  return {
    running: () =>
      rows.where('state', 'in', ['started', 'applied']).select((row) => row.fn.countAll().as('count')),
    // What was refused right before its effect is `cancelled`, and did not begin.
    begunAfter: (at: number, most: number) =>
      rows
        .where('started_at', '>', at)
        .where('state', 'in', ['started', 'applied', 'done', 'failed', 'unknown'])
        .select('started_at as at')
        .orderBy('started_at', 'desc')
        .limit(most),
  };
}

function countsOfReads(db: Database, name: string, now: number) {
  const rows = db.selectFrom('limited_reads').where('operation', '=', name);
  return {
    running: () => rows.where('ends_at', '>', now).select((row) => row.fn.countAll().as('count')),
    begunAfter: (at: number, most: number) =>
      rows.where('began_at', '>', at).select('began_at as at').orderBy('began_at', 'desc').limit(most),
  };
}
