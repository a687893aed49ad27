import { z } from 'zod';
import type { ContentKind } from '../content/content.ts';
import { ID } from '../content/fields.ts';
import type { Receiver } from '../content/message.ts';
import { nextPage, Refusal, type Route, route } from '../http/route.ts';
import { acceptedSchema, acceptMessage, failedSchema, sentSchema } from './accept-message.ts';
import { messageQuery, messageSchema } from './message-schema.ts';
import {
  countStates,
  listMessageRows,
  noMessage,
  placeOf,
  readAttemptRows,
  readDeliveryRows,
  readMessageRow,
} from './message-store.ts';
import { lineMessage, messageLine, messageView, viewMessage } from './message-view.ts';
import type { MessageParts } from './new-message.ts';
import { checkRights } from './permissions.ts';

/** A file of 20 MB (§4.6), and what stands around it. */
const BODY_LIMIT = 21 * 1024 * 1024;

const missing = { 404: 'This app has no such message.' };

const recalled = z
  .object({
    id: z.string(),
    recalled: z.int(),
    kept: z.array(z.object({ receiver: z.string(), reason: z.string() })),
  })
  .describe('How many were, and which could not be.');

/** The routes under /v1/messages; an app sees its own messages only. */
export function messageRoutes(parts: MessageParts): readonly Route[] {
  const { db, messageQueue } = parts;
  const schema = messageSchema(parts.now);
  return [
    route('POST /messages', {
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
        200: sentSchema,
        202: acceptedSchema,
        404: 'There is no such account.',
        409: 'The idempotencyKey was used for another request.',
        502: failedSchema,
      },
      handle: (ask) => acceptMessage(parts, schema, ask),
    }),
    route('GET /messages/:id', {
      summary: 'A message with the state of each receiver and every attempt.',
      answers: { 200: messageView, ...missing },
      async reply({ caller, params: { id = '' } }) {
        const row = await readMessageRow(db, caller.app, id);
        const [deliveries, attempts] = await Promise.all([readDeliveryRows(db, id), readAttemptRows(db, id)]);
        return viewMessage(row, deliveries, attempts);
      },
    }),
    route('GET /messages', {
      summary:
        'Messages of the app, newest first; `state=dead` lists what was given up. `next` goes into `after`.',
      query: messageQuery,
      answers: { 200: z.object({ messages: z.array(messageLine), next: z.string().optional() }) },
      async reply({ caller, query }) {
        const rows = await listMessageRows(db, caller.app, query);
        const ids = rows.map(({ id }) => id);
        const states = Map.groupBy(await countStates(db, ids), (each) => each.message_id);
        const messages = rows.map((row) => lineMessage(row, states.get(row.id) ?? []));
        return { messages, ...nextPage(rows, query.limit, placeOf) };
      },
    }),
    route('POST /messages/:id/recall', {
      summary: 'Takes a message back: what has not begun is not sent, what was sent within 24 h is recalled.',
      answers: { 200: recalled, 409: 'Nothing of it can be taken back; `kept` says why.', ...missing },
      async handle({ caller, params: { id = '' } }) {
        const result = ID.test(id) ? await messageQueue.recall(caller.app, id) : null;
        if (result === null) throw noMessage();
        if (result.recalled > 0) return { status: 200, body: { id, ...result } };
        const { kept } = result;
        const error = kept[0]?.reason ?? 'All of it was recalled or cancelled before.';
        return { status: 409, body: { error, kept } };
      },
    }),
    route('POST /messages/:id/resend', {
      summary: 'Sends the failed and dead deliveries of a message again.',
      answers: {
        202: z.object({ id: z.string(), queued: z.int() }),
        403: 'The scopes of the app do not allow it any more.',
        409: 'None of its deliveries is failed or dead.',
        ...missing,
      },
      async reply({ caller, params: { id = '' } }) {
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
        if (queued > 0) return { id, queued };
        throw new Refusal(
          409,
          'None of its deliveries is failed or dead, so there is nothing to send again.',
        );
      },
    }),
  ];
}
