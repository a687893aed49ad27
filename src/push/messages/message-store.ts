import { type RawBuilder, sql } from 'kysely';
import { ID } from '../content/fields.ts';
import type { Database } from '../database/database.ts';
import { deliveryTables, rareStates } from '../database/delivery-tables.ts';
import { Refusal } from '../http/route.ts';
import type { MessageFilter } from './message-schema.ts';

export type MessageRow = Awaited<ReturnType<typeof readMessageRow>>;
export type DeliveryRow = Awaited<ReturnType<typeof readDeliveryRows>>[number];
export type AttemptRow = Awaited<ReturnType<typeof readAttemptRows>>[number];

const { content: _, variables: __, ...shown } = deliveryTables.messages.columns;
/** What is read of a message: all but what it says, which may be long. */
const messageColumns = Object.keys(shown) as (keyof typeof shown)[];

/** What is answered for an id that the app does not have. */
export const noMessage = () => new Refusal(404, 'This app has no message under this id.');

/** A message of this app. Throws a Refusal when the app has none under this id. */
export function readMessageRow(db: Database, app: string, id: string) {
  const ofApp = db.selectFrom('messages').select(messageColumns).where('app', '=', app);
  // The column is ASCII, and MySQL refuses to compare other signs.
  return ofApp.where('id', '=', ID.test(id) ? id : '').executeTakeFirstOrThrow(noMessage);
}

/** What this app handed in under this idempotency key. */
export function readByIdempotencyKey(db: Database, app: string, key: string) {
  const ofApp = db.selectFrom('messages').select(['id', 'request_hash']).where('app', '=', app);
  return ofApp.where('idempotency_key', '=', key).executeTakeFirst();
}

/** The deliveries of a message, in the order of coming. */
export function readDeliveryRows(db: Database, messageId: string) {
  return db.selectFrom('deliveries').selectAll().where('message_id', '=', messageId).orderBy('id').execute();
}

/** How many deliveries of each message are in each state. */
export async function countStates(db: Database, messageIds: readonly string[]) {
  if (messageIds.length === 0) return [];
  const all = db.selectFrom('deliveries').where('message_id', 'in', messageIds);
  const counted = all.select(({ fn }) => ['message_id', 'state', fn.countAll<number>().as('count')]);
  return counted.groupBy(['message_id', 'state']).execute();
}

/** Every attempt at the deliveries of a message, oldest first. */
export function readAttemptRows(db: Database, messageId: string) {
  const all = db.selectFrom('attempts as a').innerJoin('deliveries as d', 'd.id', 'a.delivery_id');
  return all.selectAll('a').where('d.message_id', '=', messageId).orderBy('a.id').execute();
}

/** Where a page ends, to go on after it. */
export function placeOf({ created_at, id }: MessageRow): string {
  return `${created_at}.${id}`;
}

/** Messages of this app, newest first. */
export async function listMessageRows(
  db: Database,
  app: string,
  filter: MessageFilter,
): Promise<readonly MessageRow[]> {
  const { state, receiver, since, until, priority, template, campaign, after, limit } = filter;
  const isRare = state !== undefined && rareStates.includes(state);
  const isOpen = state === 'queued' || state === 'sending';
  const ofMessage = all(
    [true, sql`m.app = ${app}`],
    [since, sql`m.created_at >= ${since}`],
    [until, sql`m.created_at < ${until}`],
    [priority, sql`m.lane = ${priority}`],
    [template, sql`m.template_key = ${template}`],
    [campaign, sql`m.campaign_id = ${campaign}`],
    [isOpen || undefined, sql`m.open > 0`],
  );
  const ofDelivery = all(
    [true, sql`d.message_id = m.id`],
    [state, isRare ? sql`d.rare_state = ${state}` : sql`d.state = ${state}`],
    [receiver, sql`d.receiver = ${receiver}`],
  );
  const columns = sql.join(messageColumns.map((column) => sql.ref(`m.${column}`)));
  if (isRare) {
    // Few are in a rare state: found from these, by ids, whose order is that of time (new-id.ts).
    const { rows } = await sql<MessageRow>`
      select ${columns} from deliveries d straight_join messages m
      where ${all([true, ofDelivery], [true, ofMessage], [after, sql`d.message_id < ${after?.id}`])}
      group by d.message_id order by d.message_id desc limit ${limit}`.execute(db);
    return rows;
  }
  // Not `exists`, for which MariaDB would collect all deliveries first instead of looking at each message.
  const hasDelivery = sql`(select d.id from deliveries d where ${ofDelivery} limit 1) is not null`;
  const isAfter = sql`m.created_at <= ${after?.createdAt}
    and (m.created_at < ${after?.createdAt} or m.id < ${after?.id})`;
  const { rows } = await sql<MessageRow>`
    select ${columns} from messages m
    where ${all([true, ofMessage], [state ?? receiver, hasDelivery], [after, isAfter])}
    order by m.created_at desc, m.id desc limit ${limit}`.execute(db);
  return rows;
}

/** The conditions on what was asked for, all of which must hold. */
function all(...conditions: readonly (readonly [asked: unknown, condition: RawBuilder<unknown>])[]) {
  const asked = conditions.filter(([value]) => value !== undefined).map(([, condition]) => condition);
  return sql.join(asked, sql` and `);
}
