import { readErrcode } from '../content/fields.ts';
import type { DeliveryState } from '../content/message.ts';
import type { Database } from '../database/database.ts';
import { nextPage } from '../http/route.ts';
import type { CampaignRow } from './campaign-store.ts';
import { readSlices } from './counts-store.ts';

/** One receiver of a run. */
export interface ReceiverLine {
  readonly user: string;
  readonly state: DeliveryState | 'waiting';
  readonly messageId?: string;
  readonly errcode?: number | string;
  readonly problem?: string;
}

/** Where a page begins, as the page before gave it, and how long it is. */
export interface Page {
  readonly after: string;
  readonly limit: number;
}

export interface ReceiverPage {
  readonly receivers: readonly ReceiverLine[];
  /** The `after` of the next page; none when this is the last. */
  readonly next?: string;
}

/** Receivers of the last run whose delivery is in this state, in the order in which they were handed out. */
export async function listDeliveries(
  db: Database,
  campaign: CampaignRow,
  state: DeliveryState,
  { after, limit }: Page,
): Promise<ReceiverPage> {
  const [slice = 0, delivery = 0] = after.split('.').map(Number);
  const found: (ReceiverLine & { readonly at: string })[] = [];
  for (const { id, messageId, counts } of await readSlices(db, campaign)) {
    // Of a slice that was counted it is known whether there is any.
    if (id < slice || counts?.some((each) => each.state === state) === false) continue;
    const rows = await db
      .selectFrom('deliveries')
      .select(['id', 'receiver', 'errcode', 'problem'])
      .where('message_id', '=', messageId)
      .where('state', '=', state)
      .where('id', '>', id === slice ? delivery : 0)
      .orderBy('id')
      .limit(limit - found.length)
      .execute();
    for (const { id: at, receiver, errcode, problem } of rows) {
      found.push({
        user: receiver.slice('user:'.length),
        state,
        messageId,
        ...(errcode !== null && { errcode: readErrcode(errcode) }),
        ...(problem !== null && { problem }),
        at: `${id}.${at}`,
      });
    }
    if (found.length === limit) break;
  }
  const receivers = found.map(({ at: _, ...line }) => line);
  return { receivers, ...nextPage(found, limit, ({ at }) => at) };
}

/** Receivers that the last run has not handed out. */
export async function listWaiting(
  db: Database,
  { serial, position, run }: CampaignRow,
  { after, limit }: Page,
): Promise<ReceiverPage> {
  const last = Number(after.split('.')[0] || 0);
  const receivers = db.selectFrom('campaign_receivers as each').select(['each.number', 'each.user']);
  const returned = await receivers
    .innerJoin('campaign_returned as back', (join) =>
      join.onRef('back.campaign', '=', 'each.campaign').onRef('back.number', '=', 'each.number'),
    )
    .where('back.campaign', '=', serial)
    .where('back.number', '>', last)
    .orderBy('back.number')
    .limit(limit)
    .execute();
  const rest = await receivers
    .where('each.campaign', '=', serial)
    .where('each.number', '>', Math.max(last, run === 0 ? 0 : position))
    .orderBy('each.number')
    .limit(limit)
    .execute();
  // What was taken back stands before the position, so that the lists follow each other.
  const rows = [...returned, ...rest].slice(0, limit);
  return {
    receivers: rows.map(({ user }) => ({ user, state: 'waiting' })),
    ...nextPage(rows, limit, ({ number }) => String(number)),
  };
}
