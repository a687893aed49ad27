import type { Database } from '../../database.ts';
import type { DeliveryState, Lane } from '../../message.ts';

export type MessageRow = Exclude<Awaited<ReturnType<typeof readMessageRow>>, undefined>;
export type DeliveryRow = Awaited<ReturnType<typeof readDeliveryRows>>[number];
export type AttemptRow = Awaited<ReturnType<typeof readAttemptRows>>[number];

const messageColumns = [
  'id',
  'app',
  'lane',
  'kind',
  'template_key',
  'template_version',
  'opaque',
  'idempotency_key',
  'callback_url',
  'campaign_id',
  'receivers',
  'open',
  'created_at',
  'send_at',
  'finished_at',
] as const;

const deliveryColumns = [
  'id',
  'message_id',
  'receiver',
  'state',
  'tries',
  'msgids',
  'errcode',
  'problem',
  'maybe_twice',
  'finished_at',
] as const;

/** A message of this app. */
export function readMessageRow(db: Database, app: string, id: string) {
  return db
    .selectFrom('messages')
    .select(messageColumns)
    .where('id', '=', id)
    .where('app', '=', app)
    .executeTakeFirst();
}

/** What this app handed in under this idempotency key. */
export function readByIdempotencyKey(
  db: Database,
  app: string,
  key: string,
): Promise<{ readonly id: string; readonly request_hash: string } | undefined> {
  return db
    .selectFrom('messages')
    .select(['id', 'request_hash'])
    .where('app', '=', app)
    .where('idempotency_key', '=', key)
    .executeTakeFirst();
}

/** The deliveries of a message, in the order of coming. */
export function readDeliveryRows(db: Database, messageId: string) {
  return db
    .selectFrom('deliveries')
    .select(deliveryColumns)
    .where('message_id', '=', messageId)
    .orderBy('id')
    .execute();
}

/** How many deliveries of each message are in each state. */
export async function countStates(db: Database, messageIds: readonly string[]) {
  if (messageIds.length === 0) return [];
  return db
    .selectFrom('deliveries')
    .select(({ fn }) => ['message_id', 'state', fn.countAll<number>().as('count')])
    .where('message_id', 'in', messageIds)
    .groupBy(['message_id', 'state'])
    .execute();
}

/** Every attempt at the deliveries of a message, oldest first. */
export function readAttemptRows(db: Database, messageId: string) {
  return db
    .selectFrom('attempts')
    .innerJoin('deliveries', 'deliveries.id', 'attempts.delivery_id')
    .selectAll('attempts')
    .where('deliveries.message_id', '=', messageId)
    .orderBy('attempts.id')
    .execute();
}

/** Which messages are wanted; times are Unix ms. */
export interface MessageFilter {
  readonly state?: DeliveryState | undefined;
  readonly receiver?: string | undefined;
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  readonly lane?: Lane | undefined;
  readonly template?: string | undefined;
  readonly campaign?: string | undefined;
  /** The last of the page before. */
  readonly after?: { readonly createdAt: number; readonly id: string } | undefined;
  readonly limit: number;
}

/** Messages of this app, newest first. */
export function listMessageRows(
  db: Database,
  app: string,
  filter: MessageFilter,
): Promise<readonly MessageRow[]> {
  const { state, receiver, since, until, lane, template, campaign, after, limit } = filter;
  let query = db.selectFrom('messages').select(messageColumns).where('app', '=', app);
  if (since !== undefined) query = query.where('created_at', '>=', since);
  if (until !== undefined) query = query.where('created_at', '<', until);
  if (lane !== undefined) query = query.where('lane', '=', lane);
  if (template !== undefined) query = query.where('template_key', '=', template);
  if (campaign !== undefined) query = query.where('campaign_id', '=', campaign);
  if (after !== undefined) {
    const { createdAt, id } = after;
    query = query
      .where('created_at', '<=', createdAt)
      .where(({ eb, or }) => or([eb('created_at', '<', createdAt), eb('id', '<', id)]));
  }
  if (state !== undefined || receiver !== undefined) {
    query = query.where(({ exists, selectFrom }) => {
      let deliveries = selectFrom('deliveries')
        .select('deliveries.id')
        .whereRef('deliveries.message_id', '=', 'messages.id');
      if (state !== undefined) deliveries = deliveries.where('state', '=', state);
      if (receiver !== undefined) deliveries = deliveries.where('receiver', '=', receiver);
      return exists(deliveries);
    });
  }
  return query.orderBy('created_at', 'desc').orderBy('id', 'desc').limit(limit).execute();
}
