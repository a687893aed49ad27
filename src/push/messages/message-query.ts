import { z } from 'zod';
import { ID, isoTime, pageLimit } from '../content/fields.ts';
import { deliveryStates, lanes } from '../content/message.ts';
import type { MessageRow } from './message-store.ts';

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
