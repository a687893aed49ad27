import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { ID, isoTime, pageLimit } from '../content/fields.ts';
import { deliveryStates, lanes } from '../content/message.ts';
import type { MessageFilter } from './message-list-store.ts';
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

/** What the list of messages can be asked for. */
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
  after: z
    .string()
    .regex(/^\d{1,15}\.[0-9a-f-]{36}$/, 'must be the `next` of the page before')
    .optional(),
});

/** The query as the database is asked. Throws an InputError. */
export function filterOf({ after, priority: lane, ...rest }: z.output<typeof messageQuery>): MessageFilter {
  const filter = { ...rest, lane };
  if (after === undefined) return filter;
  const [createdAt, id] = after.split('.');
  if (createdAt === undefined || id === undefined)
    throw new InputError('after: must be the `next` of the page before');
  return { ...filter, after: { createdAt: Number(createdAt), id } };
}

/** Where a page ends, to go on after it. */
export function placeOf({ created_at, id }: MessageRow): string {
  return `${created_at}.${id}`;
}
