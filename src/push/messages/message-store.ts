import { ID } from '../content/fields.ts';
import type { Database } from '../database/database.ts';
import { Refusal } from '../http/route.ts';

export type MessageRow = Awaited<ReturnType<typeof readMessageRow>>;
export type DeliveryRow = Awaited<ReturnType<typeof readDeliveryRows>>[number];
export type AttemptRow = Awaited<ReturnType<typeof readAttemptRows>>[number];

/** What is shown of a message. */
export const messageColumns = [
  'id',
  'account',
  'lane',
  'kind',
  'template_key',
  'template_version',
  'opaque',
  'idempotency_key',
  'callback_url',
  'campaign_id',
  'created_at',
  'send_at',
  'finished_at',
] as const;

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
