import { type RawBuilder, sql } from 'kysely';
import { z } from 'zod';
import { ID, pageLimit, timeOr } from '../content/fields.ts';
import { deliveryStates, lanes } from '../content/message.ts';
import type { Database } from '../database/database.ts';
import { rareStates } from '../database/delivery-tables.ts';
import { type MessageRow, messageColumns } from './message-store.ts';

const time = timeOr(z.string().regex(/^\d{1,11}$/));

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
