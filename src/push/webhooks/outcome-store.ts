import { sql } from 'kysely';
import { iso, readErrcode } from '../content/fields.ts';
import { type DeliveryState, messageStateOf } from '../content/message.ts';
import { readOpaque } from '../content/opaque.ts';
import type { Database } from '../database/database.ts';

const FAILURES = 100;

/**
 * What became of a message, as it is posted to its app, and the address that it goes to; null when there is nothing to
 * post, since it is open again or gone.
 */
export async function readOutcome(db: Database, messageId: string) {
  const message = await db
    .selectFrom('messages')
    .select(['opaque', 'callback_url', 'open', 'finished_at'])
    .where('id', '=', messageId)
    .executeTakeFirst();
  const url = URL.parse(message?.callback_url ?? '');
  if (message === undefined || url === null || message.open > 0) return null;
  const groups = await countDeliveries(db, messageId);
  const count = (state: DeliveryState) => groups.find((group) => group.state === state)?.count ?? 0;
  return {
    url,
    outcome: {
      id: messageId,
      state: messageStateOf(groups),
      ...(message.opaque !== null && { opaque: readOpaque(message.opaque) }),
      receivers: {
        total: groups.reduce((sum, group) => sum + group.count, 0),
        sent: count('sent'),
        failed: count('failed'),
        dead: count('dead'),
        recalled: count('recalled'),
        // Never sent, because the campaign was stopped.
        cancelled: count('cancelled'),
      },
      failures: await readFailures(db, messageId),
      // Whether any receiver may have it twice: a try whose answer nobody saw was repeated.
      maybeTwice: groups.some(({ twice }) => twice > 0),
      finishedAt: iso(message.finished_at ?? 0),
    },
  };
}

/** How many deliveries of a message ended in each state; `twice` is 1 when any of them may have arrived twice. */
function countDeliveries(db: Database, messageId: string) {
  return db
    .selectFrom('deliveries')
    .select(({ fn }) => [
      'state',
      fn.countAll<number>().as('count'),
      sql<number>`max(maybe_twice)`.as('twice'),
    ])
    .where('message_id', '=', messageId)
    .groupBy('state')
    .execute();
}

/** The first that failed or are dead. */
async function readFailures(db: Database, messageId: string) {
  const rows = await db
    .selectFrom('deliveries')
    .select(['receiver', 'state', 'errcode', 'problem'])
    .where('message_id', '=', messageId)
    .where('state', 'in', ['failed', 'dead'])
    .orderBy('id')
    .limit(FAILURES)
    .execute();
  return rows.map(({ receiver, state, errcode, problem }) => ({
    receiver,
    state,
    ...(errcode !== null && { errcode: readErrcode(errcode) }),
    ...(problem !== null && { problem }),
  }));
}
