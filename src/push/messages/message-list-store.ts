import { type Expression, expressionBuilder, type SqlBool, sql } from 'kysely';
import type { DeliveryState } from '../content/message.ts';
import type { Database, Tables } from '../database/database.ts';
import { rareStates } from '../database/delivery-tables.ts';
import type { MessageFilter } from './message-query.ts';
import { type MessageRow, messageColumns } from './message-store.ts';

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
