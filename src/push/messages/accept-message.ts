import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { adviseOn } from '../../wecom/api/errcodes.ts';
import { errcodeSchema, readErrcode } from '../content/fields.ts';
import { DEFAULT_ACCOUNT, messageStateOf, type ReceiverKind } from '../content/message.ts';
import { type Opaque, opaqueSchema } from '../content/opaque.ts';
import { type Answer, type Ask, Refusal } from '../http/route.ts';
import { readMsgids } from '../queue/record-store.ts';
import type { messageSchema } from './message-schema.ts';
import { type DeliveryRow, readByIdempotencyKey, readDeliveryRows } from './message-store.ts';
import { type MessageParts, makeMessage, requestHashOf } from './new-message.ts';
import { checkMessage } from './permissions.ts';
import { type Handed, readMessage } from './read-message.ts';

/** What is answered before WeCom has; a `note` says why to a caller who waits. */
export const acceptedSchema = z
  .object({
    id: z.string(),
    state: z.literal('queued'),
    note: z.string().optional(),
    opaque: opaqueSchema.optional(),
  })
  .describe('It is taken down and will be delivered.');

/** The answer of WeCom, for a caller who waits. */
export const sentSchema = z
  .object({
    id: z.string(),
    state: z.literal('sent'),
    /** Of the last part, and of all when there are several; a chat or robot gives none. */
    msgid: z.string().optional(),
    msgids: z.array(z.string()).optional(),
    invaliduser: z.array(z.string()),
    invalidparty: z.array(z.string()).optional(),
    invalidtag: z.array(z.string()).optional(),
    /** Others that it did not reach, chats and robots. */
    failed: z.array(z.string()).optional(),
    opaque: opaqueSchema.optional(),
  })
  .describe('With `wait`: WeCom has taken it.');

/** Why it reached nobody. */
export const failedSchema = z
  .object({
    id: z.string(),
    state: z.enum(['failed', 'dead', 'recalled', 'cancelled']),
    errcode: errcodeSchema.optional(),
    error: z.string(),
    advice: z.string().optional(),
    opaque: opaqueSchema.optional(),
  })
  .describe('With `wait`: it reached nobody.');

/** How long a caller who waits for WeCom is kept waiting; ms. */
const WAIT_MS = 30_000;

/** Takes a message down, and with `wait` answers what WeCom said. */
export async function acceptMessage(
  parts: MessageParts,
  schema: ReturnType<typeof messageSchema>,
  ask: Ask,
): Promise<Answer> {
  const handed = await readMessage(ask, schema);
  checkMessage(ask.caller, handed.message, parts);
  const { id } = await takeDown(parts, ask.caller.app, handed);

  const { opaque, wait, account = DEFAULT_ACCOUNT } = handed.message;
  if (!wait) return { status: 202, body: { id, state: 'queued', opaque } };
  // While its account is paused nobody can say when it will be sent.
  const waitMs = parts.pausedNote(account) === null ? WAIT_MS : 0;
  if (!(await orClosing(parts.messageQueue.finished(id, waitMs), ask.closing))) {
    const why = parts.pausedNote(account) ?? 'WeCom has not answered yet;';
    const note = `${why} the message goes on, see GET /v1/messages/${id}.`;
    return { status: 202, body: { id, state: 'queued', note, opaque } };
  }
  return outcomeOf({ id, opaque }, await readDeliveryRows(parts.db, id));
}

/** What `finished` resolves to, or false as soon as the server is about to close. */
function orClosing(finished: Promise<boolean>, closing: AbortSignal | undefined): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const stop = (): void => resolve(false);
  closing?.addEventListener('abort', stop, { once: true });
  if (closing?.aborted) stop();
  return Promise.race([finished, promise]).finally(() => closing?.removeEventListener('abort', stop));
}

async function takeDown(parts: MessageParts, app: string, handed: Handed): Promise<{ readonly id: string }> {
  const { idempotencyKey: key, template, imageUrl, image, file } = handed.message;
  // The template may have changed since, the picture be gone: the same request has the same answer nevertheless.
  if (key !== undefined && (template ?? imageUrl ?? image ?? file) !== undefined) {
    const earlier = await readByIdempotencyKey(parts.db, app, key);
    if (earlier?.request_hash === requestHashOf(handed.message)) return earlier;
  }
  const message = await makeMessage(parts, app, handed);
  try {
    return await parts.messageQueue.accept(message);
  } catch (error) {
    // The one thing that a message in order is refused for: its idempotency key.
    throw error instanceof InputError ? new Refusal(409, error.message) : error;
  }
}

/** What became of a message whose deliveries are all final: 200 when it reached anybody, otherwise 502. */
function outcomeOf(
  { id, opaque }: { readonly id: string; readonly opaque: Opaque | undefined },
  deliveries: readonly DeliveryRow[],
): Answer {
  const state = messageStateOf(deliveries);
  const missed = deliveries.filter((each) => each.state !== 'sent');
  if (state === 'sent' || state === 'partial') {
    const msgids = [...new Set(deliveries.flatMap((each) => readMsgids(each.msgids)))];
    const byKind = Map.groupBy(missed, ({ receiver }) => receiver.slice(0, receiver.indexOf(':')));
    const invalid = (kind: ReceiverKind) =>
      byKind.get(kind)?.map(({ receiver }) => receiver.slice(kind.length + 1));
    const others = [...(byKind.get('chat') ?? []), ...(byKind.get('robot') ?? [])];
    // What is undefined is left out of the answer.
    const body: z.infer<typeof sentSchema> = {
      id,
      state: 'sent',
      msgid: msgids.at(-1),
      msgids: msgids.length > 1 ? msgids : undefined,
      invaliduser: invalid('user') ?? [],
      invalidparty: invalid('party'),
      invalidtag: invalid('tag'),
      failed: others.length > 0 ? others.map(({ receiver }) => receiver) : undefined,
      opaque,
    };
    return { status: 200, body };
  }
  const { errcode = null, problem = null } = missed.find((each) => each.state === state) ?? {};
  if (errcode === null) {
    const error =
      state === 'recalled' ? 'The message was recalled before it was sent.' : (problem ?? 'It was not sent.');
    return { status: 502, body: { id, state, error, opaque } };
  }
  const code = readErrcode(errcode);
  const error = problem ?? `WeCom answered ${code}.`;
  const isKnown = typeof code === 'number' || code === 'unsent' || code === 'lost';
  const { advice } = isKnown ? adviseOn(code, error) : {};
  return { status: 502, body: { id, state, errcode: code, error, advice, opaque } };
}
