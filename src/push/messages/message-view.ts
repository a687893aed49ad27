import { z } from 'zod';
import { errcodeSchema as errcode, iso, readErrcode } from '../content/fields.ts';
import {
  type DeliveryState,
  deliveryStates,
  lanes,
  type MessageState,
  messageStateOf,
} from '../content/message.ts';
import { opaqueSchema, readOpaque } from '../content/opaque.ts';
import { readMsgids } from '../delivery/result.ts';
import type { AttemptRow, DeliveryRow, MessageRow } from './message-store.ts';

const state = z.enum(deliveryStates);
const isoTime = z.iso.datetime();

/** One delivery, with every attempt. */
const receiverView = z.object({
  receiver: z.string(),
  state,
  tries: z.int(),
  msgids: z.array(z.string()).optional(),
  errcode: errcode.optional(),
  problem: z.string().optional(),
  maybeTwice: z.boolean(),
  finishedAt: isoTime.optional(),
  attempts: z.array(
    z.object({ at: isoTime, ms: z.int(), errcode, errmsg: z.string(), msgid: z.string().optional() }),
  ),
});

const head = {
  id: z.string(),
  state: z.enum([...deliveryStates, 'partial']),
  account: z.string(),
  priority: z.enum(lanes),
  kind: z.string(),
  template: z.object({ key: z.string(), version: z.int() }).optional(),
  campaign: z.string().optional(),
  opaque: opaqueSchema.optional(),
  idempotencyKey: z.string().optional(),
  callbackUrl: z.string().optional(),
  createdAt: isoTime,
  sendAt: isoTime,
  finishedAt: isoTime.optional(),
};

/** A message in a list: how many of its receivers are in which state. */
export const messageLine = z.object({ ...head, counts: z.partialRecord(state, z.int()) });
export type MessageLine = z.infer<typeof messageLine>;

/** A message as its own page shows it. */
export const messageView = z.object({ ...head, receivers: z.array(receiverView) });
export type MessageView = z.infer<typeof messageView>;

/** A message with its deliveries and every attempt. */
export function viewMessage(
  row: MessageRow,
  deliveries: readonly DeliveryRow[],
  attempts: readonly AttemptRow[],
): MessageView {
  const byDelivery = Map.groupBy(attempts, (each) => each.delivery_id);
  const receivers = deliveries.map((each) => viewDelivery(each, byDelivery.get(each.id) ?? []));
  return { ...viewHead(row, messageStateOf(deliveries)), receivers };
}

/** A message of a list. */
export function lineMessage(
  row: MessageRow,
  states: readonly { readonly state: DeliveryState; readonly count: number }[],
): MessageLine {
  const counts = Object.fromEntries(states.map(({ state, count }) => [state, Number(count)]));
  return { ...viewHead(row, messageStateOf(states)), counts };
}

function viewHead(row: MessageRow, state: MessageState): Omit<MessageView, 'receivers'> {
  return {
    id: row.id,
    state,
    account: row.account,
    priority: row.lane,
    kind: row.kind,
    ...(row.template_key !== null && {
      template: { key: row.template_key, version: row.template_version ?? 0 },
    }),
    ...(row.campaign_id !== null && { campaign: row.campaign_id }),
    ...(row.opaque !== null && { opaque: readOpaque(row.opaque) }),
    ...(row.idempotency_key !== null && { idempotencyKey: row.idempotency_key }),
    ...(row.callback_url !== null && { callbackUrl: row.callback_url }),
    createdAt: iso(row.created_at),
    sendAt: iso(row.send_at),
    ...(row.finished_at !== null && { finishedAt: iso(row.finished_at) }),
  };
}

function viewDelivery(row: DeliveryRow, attempts: readonly AttemptRow[]): MessageView['receivers'][number] {
  return {
    receiver: row.receiver,
    state: row.state,
    tries: row.tries,
    ...(row.msgids !== null && { msgids: [...readMsgids(row.msgids)] }),
    ...(row.errcode !== null && { errcode: readErrcode(row.errcode) }),
    ...(row.problem !== null && { problem: row.problem }),
    maybeTwice: row.maybe_twice === 1,
    ...(row.finished_at !== null && { finishedAt: iso(row.finished_at) }),
    attempts: attempts.map(({ at, ms, errcode, errmsg, msgid }) => ({
      at: iso(at),
      ms,
      errcode: readErrcode(errcode),
      errmsg,
      ...(msgid !== null && { msgid }),
    })),
  };
}
