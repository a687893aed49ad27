import { sql } from 'kysely';
import type { Lane, Receiver } from '../content/message.ts';
import type { Database, Tx } from '../database/database.ts';
import { parts, table } from '../database/values.ts';
import { otherLines } from './lines.ts';
import type { Record } from './record.ts';

/** What is about to be sent to a receiver, in which lane; `words` is its digest. */
export interface Words {
  readonly receiver: Receiver;
  readonly lane: Lane;
  readonly account: string;
  readonly words: string;
}

/** The last time that another message, or another part, said the same to a receiver. Unix ms. */
export interface SameWords {
  readonly receiver: string;
  readonly words: string;
  readonly messageId: string;
  readonly part: number;
  readonly at: number;
  readonly lost: number;
}

/** What was said to these receivers in the same words since `since` (Unix ms). */
export async function readSameWords(db: Database, asked: readonly Words[], since: number) {
  const v = table(asked.map(({ receiver, words }) => ({ receiver, words })));
  const { rows } = await sql<SameWords>`
    select distinct r.receiver, r.words, r.message_id messageId, r.part, r.at, r.lost
    from ${v} v straight_join recent_sends r on r.receiver = v.receiver and r.words = v.words
    where r.at > ${since}`.execute(db);
  return rows;
}

/** Those of these lines' receivers to whom another lane is sending at this moment: what it says is not written down yet. */
export async function readBusyElsewhere(db: Database, asked: readonly Words[]): Promise<ReadonlySet<string>> {
  const others = asked.flatMap(({ receiver, lane, account }) => otherLines(lane, receiver, account));
  const rows = await db
    .selectFrom('deliveries')
    .select('busy')
    .where('busy', 'in', [...new Set(others)])
    .execute();
  return new Set(rows.flatMap(({ busy }) => busy ?? []));
}

/** Writes down what these calls said, as far as it arrived or may have. */
export async function writeRecentSends(tx: Tx, records: readonly Record[]): Promise<void> {
  const rows = records
    .flatMap(({ receiver, messageId, recent, attempt }) =>
      recent === null || attempt === null
        ? []
        : [
            {
              receiver,
              words: recent.words,
              message_id: messageId,
              part: recent.part,
              at: attempt.at + attempt.ms,
              lost: recent.isLost ? 1 : 0,
            },
          ],
    )
    // In one order, so that replicas wait for each other instead of deadlocking.
    .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
  for (const some of parts(rows)) {
    await tx
      .insertInto('recent_sends')
      .values([...some])
      .onDuplicateKeyUpdate({
        at: sql`greatest(at, values(at))`,
        lost: sql`greatest(lost, values(lost))`,
      })
      .execute();
  }
}

/** Forgets what was said before `until` (Unix ms), a bounded number of rows at a time. */
export async function pruneRecentSends(db: Database, until: number): Promise<void> {
  let deleted: number;
  do {
    const { numAffectedRows } =
      await sql`delete from recent_sends where at <= ${until} order by at limit ${sql.lit(ROWS)}`.execute(db);
    deleted = Number(numAffectedRows);
  } while (deleted === ROWS);
}

const ROWS = 2000;

function keyOf({ receiver, words }: { readonly receiver: string; readonly words: string }): string {
  return `${receiver} ${words}`;
}
