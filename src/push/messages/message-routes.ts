import { z } from 'zod';
import type { ContentKind } from '../content/content.ts';
import { ID } from '../content/fields.ts';
import type { Receiver } from '../content/message.ts';
import { opaqueSchema } from '../content/opaque.ts';
import { nextPage, Refusal, type Route, route } from '../http/route.ts';
import { acceptMessage, failedSchema, sentSchema } from './accept-message.ts';
import { listMessageRows, messageQuery, placeOf } from './message-list-store.ts';
import { messageSchema } from './message-schema.ts';
import {
  countStates,
  noMessage,
  readAttemptRows,
  readDeliveryRows,
  readMessageRow,
} from './message-store.ts';
import { lineMessage, messageLine, messageView, viewMessage } from './message-view.ts';
import type { MessageParts } from './new-message.ts';
import { checkRights } from './permissions.ts';

/** A file of 20 MB (§4.6), and what stands around it. */
const BODY_LIMIT = 21 * 1024 * 1024;

const missing = { 404: { about: 'This app has no such message.' } };

const accepted = z.object({
  id: z.string(),
  state: z.literal('queued'),
  note: z.string().optional(),
  opaque: opaqueSchema.optional(),
});
const recalled = z.object({
  id: z.string(),
  recalled: z.int(),
  kept: z.array(z.object({ receiver: z.string(), reason: z.string() })),
});

/** The routes under /v1/messages; an app sees its own messages only. */
export function messageRoutes(parts: MessageParts): readonly Route[] {
  const { db, messageQueue } = parts;
  const schema = messageSchema(parts.now);
  return [
    route({
      method: 'POST',
      path: '/messages',
      summary:
        'Hands in a message: JSON, or multipart/form-data of the JSON as `message` and one `image` or `file`. The same idempotencyKey gives the same answer.',
      accepts: {
        'application/json': schema,
        'multipart/form-data': z.object({
          message: schema,
          image: z.file().optional(),
          file: z.file().optional(),
        }),
      },
      bodyLimit: BODY_LIMIT,
      answers: {
        200: { about: 'With `wait`: WeCom has taken it.', schema: sentSchema },
        202: { about: 'It is taken down and will be delivered.', schema: accepted },
        409: { about: 'The idempotencyKey was used for another request.' },
        502: { about: 'With `wait`: it reached nobody.', schema: failedSchema },
      },
      handle: (ask) => acceptMessage(parts, schema, ask),
    }),
    route({
      method: 'GET',
      path: '/messages/:id',
      summary: 'A message with the state of each receiver and every attempt.',
      answers: { 200: { about: 'The message.', schema: messageView }, ...missing },
      async handle({ caller, params: { id = '' } }) {
        const row = await readMessageRow(db, caller.app, id);
        const [deliveries, attempts] = await Promise.all([readDeliveryRows(db, id), readAttemptRows(db, id)]);
        return { status: 200, body: viewMessage(row, deliveries, attempts) };
      },
    }),
    route({
      method: 'GET',
      path: '/messages',
      summary:
        'Messages of the app, newest first; `state=dead` lists what was given up. `next` goes into `after`.',
      query: messageQuery,
      answers: {
        200: {
          about: 'A page.',
          schema: z.object({ messages: z.array(messageLine), next: z.string().optional() }),
        },
      },
      async handle({ caller, query }) {
        const rows = await listMessageRows(db, caller.app, query);
        const ids = rows.map(({ id }) => id);
        const states = Map.groupBy(await countStates(db, ids), (each) => each.message_id);
        const messages = rows.map((row) => lineMessage(row, states.get(row.id) ?? []));
        return { status: 200, body: { messages, ...nextPage(rows, query.limit, placeOf) } };
      },
    }),
    route({
      method: 'POST',
      path: '/messages/:id/recall',
      summary: 'Takes a message back: what has not begun is not sent, what was sent within 24 h is recalled.',
      answers: {
        200: { about: 'How many were, and which could not be.', schema: recalled },
        409: { about: 'Nothing of it can be taken back; `kept` says why.' },
        ...missing,
      },
      async handle({ caller, params: { id = '' } }) {
        const result = ID.test(id) ? await messageQueue.recall(caller.app, id) : null;
        if (result === null) throw noMessage();
        if (result.recalled > 0) return { status: 200, body: { id, ...result } };
        const { kept } = result;
        const error = kept[0]?.reason ?? 'All of it was recalled or cancelled before.';
        return { status: 409, body: { error, kept } };
      },
    }),
    route({
      method: 'POST',
      path: '/messages/:id/resend',
      summary: 'Sends the failed and dead deliveries of a message again.',
      answers: {
        202: {
          about: 'How many are queued again.',
          schema: z.object({ id: z.string(), queued: z.int() }),
        },
        403: { about: 'The scopes of the app do not allow it any more.' },
        409: { about: 'None of its deliveries is failed or dead.' },
        ...missing,
      },
      async handle({ caller, params: { id = '' } }) {
        const row = await readMessageRow(db, caller.app, id);
        const missed = (await readDeliveryRows(db, id)).filter(({ state }) => /^(failed|dead)$/.test(state));
        // What the app was allowed then it may be allowed no more.
        const wish = {
          kind: row.kind as ContentKind,
          template: row.template_key ?? undefined,
          receivers: missed.map(({ receiver }) => receiver as Receiver),
          account: row.account,
        };
        checkRights(caller, wish, parts.accounts);
        const queued = (await messageQueue.resend(caller.app, id)) ?? 0;
        if (queued > 0) return { status: 202, body: { id, queued } };
        throw new Refusal(
          409,
          'None of its deliveries is failed or dead, so there is nothing to send again.',
        );
      },
    }),
  ];
}
