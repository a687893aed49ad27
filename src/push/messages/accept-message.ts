import { InputError } from '../../errors.ts';
import { DEFAULT_ACCOUNT } from '../content/message.ts';
import { type Answer, type Ask, Refusal } from '../http/route.ts';
import type { MessageParts } from './message-parts.ts';
import type { messageSchema } from './message-schema.ts';
import { readByIdempotencyKey, readDeliveryRows } from './message-store.ts';
import { makeMessage, requestHashOf } from './new-message.ts';
import { outcomeOf } from './outcome.ts';
import { checkMessage } from './permissions.ts';
import { type Handed, readMessage } from './read-message.ts';

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
