import { quoteChoices } from '../../plain-text.ts';
import type { OutboxTable } from '../database.ts';
import type { Records } from '../records.ts';

/** A message that one replica is handing to message delivery; `tries` counts those that failed. */
export type TakenMessage = Readonly<Pick<OutboxTable, 'seq' | 'id' | 'user' | 'text' | 'tries'>>;

/** What came of handing a message over at `now`; one that waits is due again at `dueAt`. Unix milliseconds. */
export interface Delivery {
  readonly state: 'sent' | 'undeliverable' | 'waiting';
  readonly now: number;
  readonly dueAt: number;
  /** What message delivery said, if it did not take the message. */
  readonly problem: string | null;
}

const AT_ONCE = 20;
const PROBLEM_LENGTH = 600;

/** Puts a message into the outbox, in the transaction that it belongs to. One whose id is there already stays as it is. */
export async function addMessage(
  { db, messageMac }: Pick<Records, 'db' | 'messageMac'>,
  { id, user, text, due_at }: Pick<OutboxTable, 'id' | 'user' | 'text' | 'due_at'>,
): Promise<void> {
  const told = { id, user, text: quoteChoices(text) };
  const row = { ...told, due_at, state: 'waiting', tries: 0, mac: messageMac(told) } as const;
  await db.insertInto('outbox').ignore().values(row).execute();
}

/** Under which key the outcome of an operation is handed to message delivery, whoever does so and however often. */
export function outcomeKey(id: string): string {
  return `outcome-${id}`;
}

/** The messages that users have yet to get. */
export type Outbox = ReturnType<typeof createOutbox>;

/**
 * Opens what users have yet to be told, kept until message delivery has taken it. The messages of one user leave in the
 * order in which they came in, one at a time; those of different users do not wait for each other.
 */
export function createOutbox(records: Records) {
  const { db } = records;
  const waiting = () => db.updateTable('outbox').where('state', '=', 'waiting');
  return {
    /**
     * Leases messages that are due and the first of their user, 20 at most. Times are Unix milliseconds. What the platform
     * did not write is taken out, and stays in the table.
     */
    async take(now: number, until: number): Promise<readonly TakenMessage[]> {
      const heads = await db
        .selectFrom('outbox as head')
        .select(['seq', 'id', 'user', 'text', 'tries', 'mac'])
        .where('state', '=', 'waiting')
        .where('due_at', '<=', now)
        .where((is) => is.or([is('lease_until', 'is', null), is('lease_until', '<=', now)]))
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('outbox as earlier')
                .select('earlier.seq')
                .whereRef('earlier.user', '=', 'head.user')
                .where('earlier.state', '=', 'waiting')
                .whereRef('earlier.seq', '<', 'head.seq'),
            ),
          ),
        )
        .orderBy('seq')
        .limit(AT_ONCE)
        .execute();
      const taken: TakenMessage[] = [];
      for (const { mac, ...message } of heads) {
        const { seq, id, user } = message;
        if (!records.isMessage({ ...message, mac })) {
          const takeOut = waiting().set({ state: 'forged', lease_until: null }).where('seq', '=', seq);
          const { numUpdatedRows } = await takeOut.executeTakeFirst();
          const forgery = { table: 'outbox', id, user, operation: '', target: '' } as const;
          if (numUpdatedRows > 0n) records.onForgery(forgery);
          continue;
        }
        const lease = waiting()
          .set({ lease_until: until })
          .where('seq', '=', seq)
          .where((is) => is.or([is('lease_until', 'is', null), is('lease_until', '<=', now)]));
        if ((await lease.executeTakeFirst()).numUpdatedRows > 0n) taken.push(message);
      }
      return taken;
    },
    /** Writes down what came of handing a message over, and ends its lease. */
    async settle({ seq, tries }: TakenMessage, { state, now, dueAt, problem }: Delivery): Promise<void> {
      const outcome = state === 'waiting' ? { due_at: dueAt, tries: tries + 1 } : { ended_at: now };
      const said = problem?.slice(0, PROBLEM_LENGTH) ?? null;
      await waiting()
        .set({ ...outcome, state, problem: said, lease_until: null })
        .where('seq', '=', seq)
        .execute();
    },
    /** Takes out messages that their user has read elsewhere. The messages of other users stay. */
    async cancel(keys: readonly string[], user: string, now: number): Promise<void> {
      await waiting()
        .set({ state: 'cancelled', ended_at: now })
        .where('id', 'in', keys)
        .where('user', '=', user)
        .execute();
    },
    /** Forgets messages that left before that time. */
    async drop(endedBefore: number): Promise<void> {
      await db.deleteFrom('outbox').where('ended_at', '<', endedBefore).limit(10_000).execute();
    },
  };
}
