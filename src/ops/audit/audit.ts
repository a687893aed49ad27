import { PRINCIPAL_LENGTH } from '../../contract/principal.ts';
import { onOneLine } from '../../plain-text.ts';
import { createBatcher } from '../../server/batch.ts';
import { transact } from '../../server/database.ts';
import type { Database } from '../database.ts';
import { type AuditOutcome, type AuditRow, type ChainLink, chainMac, createChainCheck } from './chain.ts';

/** One attempt as far as it is known; what does not apply is left out. */
export type AuditEntry = Pick<AuditRow, 'at' | 'operation' | 'outcome'> & Partial<Omit<AuditRow, 'seq'>>;

/** The record of every attempt. */
export type Audit = ReturnType<typeof createAudit>;

/** How many entries share a transaction at most. */
const BATCH = 100;

/** Opens the audit. Entries that arrive while others are being written share the next transaction. */
export function createAudit(db: Database, key: string) {
  const append = createBatcher<AuditEntry, undefined>((entries) => write(db, key, entries), {
    size: BATCH,
    parallel: 1,
  });
  let last: Promise<unknown> = Promise.resolve();
  return {
    /** Answers when the entry is committed; throws when it could not be, and then nothing may go ahead that relies on it. */
    append(entry: AuditEntry): Promise<undefined> {
      const written = append(entry);
      last = written.catch(() => {});
      return written;
    },
    /** Waits until all that was appended is written: batches follow one another, so with the last entry all are settled. */
    close: async (): Promise<void> => void (await last),
  };
}

/** What is known of an attempt. */
export type AttemptDetails = Omit<AuditEntry, 'at' | 'outcome' | 'ms'>;

/** One thing that somebody tried, on its way into the audit. */
export type Attempt = ReturnType<typeof createAttempt>;

/** Begins an attempt at `startedAt` (Unix milliseconds); each record says how many milliseconds it has taken by then. */
export function createAttempt(
  audit: Audit,
  clock: { now(): number },
  startedAt: number,
  known: AttemptDetails,
) {
  let details = known;
  return {
    startedAt,
    /** More is known of it, which every record from now on says. */
    note(more: Partial<AttemptDetails>): void {
      details = { ...details, ...more };
    },
    /** Answers when the entry is committed. */
    record: (outcome: AuditOutcome, reason = ''): Promise<void> =>
      audit.append({ ...details, at: clock.now(), outcome, ms: clock.now() - startedAt, reason }),
  };
}

/** The locked head row puts the transactions of all replicas in one order. */
async function write(db: Database, key: string, entries: readonly AuditEntry[]): Promise<undefined[]> {
  await transact(db, async (transaction) => {
    let last: ChainLink = await transaction
      .selectFrom('audit_head')
      .select(['seq', 'mac'])
      .where('id', '=', 1)
      .forUpdate()
      .executeTakeFirstOrThrow();
    const rows = entries.map((entry) => {
      const row = rowOf(entry, last.seq + 1);
      last = { seq: row.seq, mac: chainMac(key, last.mac, row) };
      return { ...row, mac: last.mac };
    });
    await transaction.insertInto('audit').values(rows).execute();
    await transaction.updateTable('audit_head').set(last).where('id', '=', 1).execute();
  });
  return entries.map(() => undefined);
}

function rowOf(entry: AuditEntry, seq: number): AuditRow {
  return {
    seq,
    at: entry.at,
    user: cut(entry.user, PRINCIPAL_LENGTH),
    operation: cut(entry.operation, 200),
    unit: cut(entry.unit, 64),
    target: cut(entry.target, 600),
    input: entry.input ?? 'null',
    before_value: entry.before_value ?? 'null',
    after_value: entry.after_value ?? 'null',
    hash: cut(entry.hash, 64),
    jti: cut(entry.jti, 36),
    source: cut(entry.source, 64),
    ms: entry.ms ?? 0,
    outcome: entry.outcome,
    reason: cut(entry.reason, 600),
  };
}

/** A text as one plain line, whoever wrote it, and so much of it as fits `length` characters as MySQL counts them. */
function cut(text: string | undefined, length: number): string {
  return [...onOneLine((text ?? '').slice(0, 4 * length))].slice(0, length).join('');
}

/** Reads the whole audit as it stands at one moment and checks its chain. `last` is the link to note for the next `--expect`. */
export async function verifyAudit(db: Database, key: string, expected?: ChainLink) {
  const snapshot = db.transaction().setIsolationLevel('repeatable read');
  return snapshot.execute(async (transaction) => {
    const head = await transaction
      .selectFrom('audit_head')
      .select(['seq', 'mac'])
      .where('id', '=', 1)
      .executeTakeFirst();
    const check = createChainCheck(key, expected);
    for (let after = Number.MIN_SAFE_INTEGER, more = true; more; ) {
      const page = transaction.selectFrom('audit').selectAll().where('seq', '>', after);
      const rows = await page.orderBy('seq').limit(1000).execute();
      for (const row of rows) check.take(row);
      after = rows.at(-1)?.seq ?? after;
      more = rows.length > 0;
    }
    return { last: check.finish(head), problems: check.problems };
  });
}
