import { type Expression, expressionBuilder, type SqlBool, sql } from 'kysely';
import { z } from 'zod';
import { ID, isoTime, pageLimit } from '../content/fields.ts';
import { type DeliveryState, deliveryStates, lanes } from '../content/message.ts';
import type { Database, Tables } from '../database/database.ts';
import { rareStates } from '../database/delivery-tables.ts';
import { type MessageRow, messageColumns } from './message-store.ts';

const time = z
  .union(
    [
      isoTime,
      z
        .string()
        .regex(/^\d{1,11}$/)
        .transform((seconds) => Number(seconds) * 1000),
    ],
    'must be an ISO time with its offset, or Unix seconds',
  )
  .optional();

/** What the list of messages can be asked for, read as the database is: times in Unix ms, `after` as a place. */
export const messageQuery = z.strictObject({
  state: z.enum(deliveryStates).optional(),
  receiver: z
    .string()
    .regex(
      /^(user|party|tag|chat|robot):[\w.@-]{1,64}$/,
      'must be like user:zhangsan, party:2, tag:7, chat:ID or robot:NAME',
    )
    .transform((receiver) => (receiver.startsWith('user:') ? receiver.toLowerCase() : receiver))
    .optional(),
  since: time,
  until: time,
  priority: z.enum(lanes).optional(),
  template: z.string().max(32).optional(),
  campaign: z.string().regex(ID, 'must be the id of a campaign').optional(),
  limit: pageLimit(100, 50),
  /** The last of the page before. */
  after: z
    .string()
    .regex(/^\d{1,15}\.[0-9a-f-]{36}$/, 'must be the `next` of the page before')
    .transform((place) => {
      const [createdAt = '', id = ''] = place.split('.');
      return { createdAt: Number(createdAt), id };
    })
    .optional(),
});
/** Which messages are wanted. */
export type MessageFilter = z.output<typeof messageQuery>;

/** Where a page ends, to go on after it. */
export function placeOf({ created_at, id }: MessageRow): string {
  return `${created_at}.${id}`;
}

/** Messages of this app, newest first. */
export function listMessageRows(
  db: Database,
  app: string,
  filter: MessageFilter,
): Promise<readonly MessageRow[]> {
  const { state, receiver, after, limit } = filter;
  if (state !== undefined && rareStates.includes(state)) return listRare(db, app, { ...filter, state });
  let query = db.selectFrom('messages').select(messageColumns).where(isWanted(app, filter));
  if (after !== undefined) {
    const { createdAt, id } = after;
    query = query
      .where('created_at', '<=', createdAt)
      .where(({ eb, or }) => or([eb('created_at', '<', createdAt), eb('id', '<', id)]));
  }
  if (state === 'queued' || state === 'sending') query = query.where('open', '>', 0);
  if (state !== undefined || receiver !== undefined) {
    // Not `exists`, for which MariaDB would collect all deliveries first instead of looking at each message.
    query = query.where(({ selectFrom }) => {
      let deliveries = selectFrom('deliveries')
        .select('deliveries.id')
        .whereRef('deliveries.message_id', '=', 'messages.id')
        .limit(1);
      if (state !== undefined) deliveries = deliveries.where('state', '=', state);
      if (receiver !== undefined) deliveries = deliveries.where('receiver', '=', receiver);
      return sql<boolean>`${deliveries} is not null`;
    });
  }
  return query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
}

/** Messages with deliveries in a rare state: found from these, by ids, whose order is that of time (new-id.ts). */
function listRare(
  db: Database,
  app: string,
  filter: MessageFilter & { readonly state: DeliveryState },
): Promise<readonly MessageRow[]> {
  const { state, receiver, after, limit } = filter;
  let query = db
    .selectFrom('deliveries')
    .modifyFront(sql`straight_join`)
    .innerJoin('messages', 'messages.id', 'deliveries.message_id')
    .select(messageColumns)
    .where('deliveries.rare_state', '=', state)
    .where(isWanted(app, filter));
  if (receiver !== undefined) query = query.where('deliveries.receiver', '=', receiver);
  if (after !== undefined) query = query.where('deliveries.message_id', '<', after.id);
  return query
    .groupBy('deliveries.message_id')
    .orderBy('deliveries.message_id', 'desc')
    .limit(limit)
    .execute();
}

function isWanted(app: string, filter: MessageFilter): Expression<SqlBool> {
  const { since, until, priority, template, campaign } = filter;
  const is = expressionBuilder<Tables, 'messages'>();
  return is.and([
    is('messages.app', '=', app),
    ...(since === undefined ? [] : [is('messages.created_at', '>=', since)]),
    ...(until === undefined ? [] : [is('messages.created_at', '<', until)]),
    ...(priority === undefined ? [] : [is('messages.lane', '=', priority)]),
    ...(template === undefined ? [] : [is('messages.template_key', '=', template)]),
    ...(campaign === undefined ? [] : [is('messages.campaign_id', '=', campaign)]),
  ]);
}
