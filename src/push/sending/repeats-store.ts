import { sql } from 'kysely';
import { databaseTime } from '../database/clock.ts';
import type { Database } from '../database/database.ts';

/**
 * For how long WeCom is asked to recognise a repeat, in seconds: longer than all tries of one part take, which are eight
 * calls of 5 s and the waits between them (retry-policy.ts). Each try carries the same, so that each is the same call.
 */
export const CHECK_SECONDS = 180;

/** The same on our side, with room for clocks of replicas that differ; ms. */
export const WINDOW_MS = CHECK_SECONDS * 1000 + 5000;

/** What is about to be said, to whom. */
export interface Said {
  readonly line: string;
  readonly target: string;
  readonly words: string;
}

/** A call that said something to a receiver. */
export interface Same {
  readonly target: string;
  /** Null when nobody lived to write down what it said. */
  readonly words: string | null;
  readonly deliveryId: number;
  readonly part: number;
  readonly at: number;
  readonly lost: number;
}

/** What was said, or may have been, to these receivers in these words in the last minutes. */
export async function readSame(db: Database, said: readonly Said[]): Promise<readonly Same[]> {
  const targets = [...new Set(said.map(({ target }) => target))];
  const words = [...new Set(said.map((each) => each.words))];
  const { rows } = await sql<Same>`
    select target, words, delivery_id deliveryId, part, ended_at at, errcode in ('lost', 'internal') lost
    from attempts force index (attempts_by_target)
    where target in (${targets}) and ended_at > ${databaseTime} - ${WINDOW_MS}
      and (words in (${words}) or words is null and errcode = 'lost')`.execute(db);
  return rows;
}

/** Those of these lines of which something is being sent at this moment: what it says is not written down yet. */
export async function readOwned(db: Database, lines: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ line: string }>`
    select line from delivery_lines where line in (${lines}) and owner is not null`.execute(db);
  return new Set(rows.map(({ line }) => line));
}
