import { z } from 'zod';
import { adviseOn } from '../../wecom/api/errcodes.ts';
import { errcodeSchema, readErrcode } from '../content/fields.ts';
import { messageStateOf, type ReceiverKind } from '../content/message.ts';
import { type Opaque, opaqueSchema } from '../content/opaque.ts';
import { readMsgids } from '../delivery/result.ts';
import type { Answer } from '../http/route.ts';
import type { DeliveryRow } from './message-store.ts';

/** The answer of WeCom, for a caller who waits. */
export const sentSchema = z.object({
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
});

/** Why it reached nobody. */
export const failedSchema = z.object({
  id: z.string(),
  state: z.enum(['failed', 'dead', 'recalled', 'cancelled']),
  errcode: errcodeSchema.optional(),
  error: z.string(),
  advice: z.string().optional(),
  opaque: opaqueSchema.optional(),
});

/** What became of a message whose deliveries are all final: 200 when it reached anybody, otherwise 502. */
export function outcomeOf(
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
