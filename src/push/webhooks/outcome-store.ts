import { iso, readErrcode } from '../content/fields.ts';
import { type DeliveryState, messageStateOf } from '../content/message.ts';
import { readOpaque } from '../content/opaque.ts';
import type { Database } from '../database/database.ts';

/** So many of those that failed or are dead are named. */
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
  const deliveries = await db
    .selectFrom('deliveries')
    .select(['receiver', 'state', 'errcode', 'problem', 'maybe_twice'])
    .where('message_id', '=', messageId)
    .orderBy('id')
    .execute();
  const count = (state: DeliveryState) => deliveries.filter((each) => each.state === state).length;
  const missed = deliveries.filter(({ state }) => state === 'failed' || state === 'dead');
  return {
    url,
    outcome: {
      id: messageId,
      state: messageStateOf(deliveries),
      ...(message.opaque !== null && { opaque: readOpaque(message.opaque) }),
      receivers: {
        total: deliveries.length,
        sent: count('sent'),
        failed: count('failed'),
        dead: count('dead'),
        recalled: count('recalled'),
        // Never sent, because the campaign was stopped.
        cancelled: count('cancelled'),
      },
      failures: missed.slice(0, FAILURES).map(({ receiver, state, errcode, problem }) => ({
        receiver,
        state,
        ...(errcode !== null && { errcode: readErrcode(errcode) }),
        ...(problem !== null && { problem }),
      })),
      // Whether any receiver may have it twice: a try whose answer nobody saw was repeated.
      maybeTwice: deliveries.some(({ maybe_twice }) => maybe_twice === 1),
      finishedAt: iso(message.finished_at ?? 0),
    },
  };
}
