import { randomUUID } from 'node:crypto';
import type { Database } from '../database.ts';

/** How an operation ended, for the user who confirmed it. */
export interface Outcome {
  readonly id: string;
  readonly user: string;
  readonly state: 'done' | 'failed' | 'unknown';
  readonly text: string;
}

/** The outcomes that users have yet to be told. */
export interface Outcomes {
  /** Up to 50 that are due, lent for 30 s: who does not report them told in that time gives them to the next. */
  claim(now: number): Promise<Outcome[]>;
  told(ids: readonly string[]): Promise<void>;
}

const LENT_MS = 30_000;

/** Opens the outcomes of finished operations. */
export function createOutcomes(db: Database): Outcomes {
  return {
    async claim(now) {
      const loan = randomUUID();
      const lent = await db
        .updateTable('operations')
        .set({ lent_to: loan, lent_until: now + LENT_MS })
        .where('told', '=', 0)
        .where('tell_after', '<=', now)
        .where((is) => is.or([is('lent_until', 'is', null), is('lent_until', '<=', now)]))
        .limit(50)
        .executeTakeFirst();
      if (lent.numUpdatedRows === 0n) return [];
      const due = db.selectFrom('operations').select(['id', 'user', 'state', 'text']);
      const rows = await due.where('lent_to', '=', loan).orderBy('finished_at').execute();
      return rows.map(({ state, text, ...row }) => ({
        ...row,
        state: state as Outcome['state'],
        text: text ?? '',
      }));
    },
    async told(ids) {
      if (ids.length === 0) return;
      await db
        .updateTable('operations')
        .set({ told: 1 })
        .where('id', 'in', ids)
        .where('tell_after', 'is not', null)
        .execute();
    },
  };
}
