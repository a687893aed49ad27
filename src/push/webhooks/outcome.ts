import { iso, readErrcode } from '../content/fields.ts';
import { type MessageState, messageStateOf } from '../content/message.ts';
import { type Opaque, readOpaque } from '../content/opaque.ts';
import type { Database } from '../database/database.ts';
import { countDeliveries } from './webhook-store.ts';

/** What is posted to an app; the address it goes to stands beside it. */
export interface Outcome {
  readonly id: string;
  readonly state: MessageState;
  readonly opaque?: Opaque;
  readonly receivers: {
    readonly total: number;
    readonly sent: number;
    readonly failed: number;
    readonly dead: number;
    readonly recalled: number;
    /** Never sent, because the campaign was stopped. */
    readonly cancelled: number;
  };
  /** The first hundred that failed or are dead. */
  readonly failures: readonly {
    readonly receiver: string;
    readonly state: 'failed' | 'dead';
    readonly errcode?: number | string;
    readonly problem?: string;
  }[];
  /** Whether any receiver may have it twice: a try whose answer nobody saw was repeated. */
  readonly maybeTwice: boolean;
  /** ISO 8601. */
  readonly finishedAt: string;
}

const FAILURES = 100;

/** What became of a message, and where to tell it; null when there is nothing to tell, since it is open again or gone. */
export async function readOutcome(
  db: Database,
  messageId: string,
): Promise<{ readonly url: URL; readonly outcome: Outcome } | null> {
  const message = await db
    .selectFrom('messages')
    .select(['opaque', 'callback_url', 'open', 'finished_at'])
    .where('id', '=', messageId)
    .executeTakeFirst();
  const url = URL.parse(message?.callback_url ?? '');
  if (message === undefined || url === null || message.open > 0) return null;
  const groups = await countDeliveries(db, messageId);
  const count = (state: string) => Number(groups.find((group) => group.state === state)?.count ?? 0);
  const receivers = {
    total: groups.reduce((sum, group) => sum + Number(group.count), 0),
    sent: count('sent'),
    failed: count('failed'),
    dead: count('dead'),
    recalled: count('recalled'),
    cancelled: count('cancelled'),
  };
  return {
    url,
    outcome: {
      id: messageId,
      state: messageStateOf(groups),
      ...(message.opaque !== null && { opaque: readOpaque(message.opaque) }),
      receivers,
      failures: await readFailures(db, messageId),
      maybeTwice: groups.some(({ twice }) => Number(twice) > 0),
      finishedAt: iso(message.finished_at ?? 0),
    },
  };
}

async function readFailures(db: Database, messageId: string): Promise<Outcome['failures']> {
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
    state: state === 'dead' ? 'dead' : 'failed',
    ...(errcode !== null && { errcode: readErrcode(errcode) }),
    ...(problem !== null && { problem }),
  }));
}
