import { z } from 'zod';
import { adviseOn } from '../../wecom/api/errcodes.ts';
import { errcodeSchema, readErrcode } from '../content/fields.ts';
import { messageStateOf } from '../content/message.ts';
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
  const echoed = opaque === undefined ? {} : { opaque };
  const missed = deliveries.filter((each) => each.state !== 'sent');
  if (state === 'sent' || state === 'partial') {
    const msgids = [...new Set(deliveries.flatMap((each) => readMsgids(each.msgids)))];
    const invalid = (kind: string) =>
      missed
        .filter(({ receiver }) => receiver.startsWith(kind))
        .map(({ receiver }) => receiver.slice(kind.length));
    const parties = invalid('party:');
    const tags = invalid('tag:');
    const others = missed
      .map(({ receiver }) => receiver)
      .filter((receiver) => /^(chat|robot):/.test(receiver));
    const body: z.infer<typeof sentSchema> = {
      id,
      state: 'sent',
      ...(msgids.length > 0 && { msgid: msgids.at(-1) }),
      ...(msgids.length > 1 && { msgids }),
      invaliduser: invalid('user:'),
      ...(parties.length > 0 && { invalidparty: parties }),
      ...(tags.length > 0 && { invalidtag: tags }),
      ...(others.length > 0 && { failed: others }),
      ...echoed,
    };
    return { status: 200, body };
  }
  const { errcode = null, problem = null } = missed.find((each) => each.state === state) ?? {};
  if (errcode === null) {
    const error =
      state === 'recalled' ? 'The message was recalled before it was sent.' : (problem ?? 'It was not sent.');
    return { status: 502, body: { id, state, error, ...echoed } };
  }
  const code = readErrcode(errcode);
  const error = problem ?? `WeCom answered ${code}.`;
  const advice =
    typeof code === 'number' || code === 'unsent' || code === 'lost'
      ? adviseOn(code, error).advice
      : undefined;
  return { status: 502, body: { id, state, errcode: code, error, ...(advice && { advice }), ...echoed } };
}
