import { PRINCIPAL_LENGTH } from '../../contract/principal.ts';
import { onOneLine } from '../../plain-text.ts';
import { createBatcher } from '../../server/batch.ts';
import { transact } from '../../server/database.ts';
import { isDatabaseAway } from '../../server/mysql-errors.ts';
import type { Database } from '../database.ts';
import { type AuditOutcome, type AuditRow, type ChainLink, chainMac, createChainCheck } from './chain.ts';
import { type ChainMemory, createChainMemory } from './memory.ts';

/** One attempt as far as it is known; what does not apply is left out. */
export type AuditEntry = Pick<AuditRow, 'at' | 'operation' | 'outcome'> & Partial<Omit<AuditRow, 'seq'>>;

/** The record of every attempt. */
export type Audit = ReturnType<typeof createAudit>;

/** How many entries share a transaction at most. */
const BATCH = 100;

/** What hears of the chain of one replica. */
export interface AuditWitness {
  /** The chain does not end as it must; told once. */
  broken(problem: string): void;
  /** This entry cannot be written, since the chain is broken. */
  unwritten(entry: AuditEntry): void;
  /** The newest link, when it has moved: to note where the database's administrators cannot change it. */
  newest(link: ChainLink): void;
}

/**
 * Opens the audit for one replica. Entries that arrive while others are being written share the next transaction. Each
 * transaction checks that the newest link which this replica has seen is still there.
 */
export function createAudit(db: Database, key: string, witness: AuditWitness = NOBODY) {
  const memory = createChainMemory(witness.broken);
  const write = async (entries: readonly AuditEntry[]): Promise<undefined[]> => {
    try {
      memory.remember(await transact(db, (transaction) => add(transaction, key, memory, entries)));
    } catch (error) {
      // Who only reads can go on without the table; what changes something asks `isBroken` first.
      if (!memory.isBroken() || isDatabaseAway(error)) throw error;
      entries.forEach(witness.unwritten);
    }
    return entries.map(() => undefined);
  };
  const append = createBatcher<AuditEntry, undefined>(write, { size: BATCH, parallel: 1 });
  let last: Promise<unknown> = Promise.resolve();
  let noted: ChainLink | undefined;
  const note = (): void => {
    const newest = memory.newest();
    if (newest !== undefined && newest.seq !== noted?.seq) witness.newest(newest);
    noted = newest;
  };
  return {
    /** Answers when the entry is committed; throws when it could not be, and then nothing may go ahead that relies on it. */
    append(entry: AuditEntry): Promise<undefined> {
      const written = append(entry);
      last = written.catch(() => {});
      return written;
    },
    /** Whether the chain was found cut or changed; until the end of the process nothing may be changed then. */
    isBroken: memory.isBroken,
    /** Looks whether the chain still holds what was seen, and notes its newest link. */
    async look(): Promise<void> {
      memory.remember(await transact(db, memory.lockHead));
      note();
    },
    /** Waits until all that was appended is written: batches follow one another, so with the last entry all are settled. */
    async close(): Promise<void> {
      await last;
      note();
    },
  };
}

const NOBODY: AuditWitness = { broken: () => {}, unwritten: () => {}, newest: () => {} };

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

/** Adds rows and answers the last link. The locked head row puts the transactions of all replicas in one order. */
async function add(
  transaction: Database,
  key: string,
  memory: ChainMemory,
  entries: readonly AuditEntry[],
): Promise<ChainLink> {
  let last = await memory.lockHead(transaction);
  const rows = entries.map((entry) => {
    const row = rowOf(entry, last.seq + 1);
    last = { seq: row.seq, mac: chainMac(key, last.mac, row) };
    return { ...row, mac: last.mac };
  });
  await transaction.insertInto('audit').values(rows).execute();
  await transaction.updateTable('audit_head').set(last).where('id', '=', 1).execute();
  return last;
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

/** Reads the whole audit as it stands at one moment and checks its chain. `last` is the link to note for the next `--at`. */
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
