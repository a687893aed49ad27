import * as z from 'zod';
import { errcodeSchema, readErrcode } from '../content/fields.ts';
import { type DeliveryState, deliveryStates } from '../content/message.ts';
import type { Database } from '../database/database.ts';
import { nextPage } from '../http/route.ts';
import type { CampaignRow } from './campaign-store.ts';
import { readSlices } from './counts-store.ts';
import { readWaiting } from './slice-store.ts';

/** Receivers of a run; `next` is the `after` of the next page, absent when this is the last. */
export const receiverPage = z.object({
  receivers: z.array(
    z.object({
      user: z.string(),
      state: z.enum([...deliveryStates, 'waiting']),
      messageId: z.string().optional(),
      errcode: errcodeSchema.optional(),
      problem: z.string().optional(),
    }),
  ),
  next: z.string().optional(),
});
type ReceiverPage = z.infer<typeof receiverPage>;

/** Receivers of the last run whose delivery is in this state, in the order in which they were handed out. */
export async function listDeliveries(
  db: Database,
  campaign: CampaignRow,
  { state, after, limit }: { readonly state: DeliveryState; readonly after: string; readonly limit: number },
): Promise<ReceiverPage> {
  const [slice = 0, delivery = 0] = after.split('.').map(Number);
  const found: (ReceiverPage['receivers'][number] & { readonly place: string })[] = [];
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
    const shown = rows.map(({ receiver, errcode, problem, ...row }) => ({
      ...{ user: receiver.slice('user:'.length), state, messageId },
      ...(errcode !== null && { errcode: readErrcode(errcode) }),
      ...(problem !== null && { problem }),
      place: `${id}.${row.id}`,
    }));
    found.push(...shown);
    if (found.length === limit) break;
  }
  const receivers = found.map(({ place: _, ...receiver }) => receiver);
  return { receivers, ...nextPage(found, limit, ({ place }) => place) };
}

/** Receivers that the last run has not handed out. */
export async function listWaiting(
  db: Database,
  campaign: CampaignRow,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<ReceiverPage> {
  const rows = await readWaiting(db, campaign, { after: Number(after.split('.')[0]), limit });
  return {
    receivers: rows.map(({ user }) => ({ user, state: 'waiting' })),
    ...nextPage(rows, limit, ({ number }) => String(number)),
  };
}
