import { z } from 'zod';
import { errcodeSchema as errcode, iso, readErrcode } from '../content/fields.ts';
import { type DeliveryState, deliveryStates, lanes, messageStateOf } from '../content/message.ts';
import { opaqueSchema, readOpaque } from '../content/opaque.ts';
import { viewOf } from '../http/view.ts';
import { readMsgids } from '../queue/record-store.ts';
import type { AttemptRow, DeliveryRow, MessageRow } from './message-store.ts';

const text = z.string();
const time = z.iso.datetime();
const template = z.object({ key: text, version: z.int() });

/** Reads what is there; null is shown as nothing. */
const orNone = <Stored, Shown>(stored: Stored | null, read: (stored: Stored) => Shown) =>
  stored === null ? undefined : read(stored);

const attempt = viewOf<AttemptRow>()({
  at: [time, (row) => iso(row.at)],
  ms: [z.int(), (row) => row.ms],
  errcode: [errcode, (row) => readErrcode(row.errcode)],
  errmsg: [text, (row) => row.errmsg],
  msgid: [text.optional(), (row) => row.msgid ?? undefined],
});

/** One delivery, with every attempt. */
const receiver = viewOf<DeliveryRow & { readonly tried: readonly AttemptRow[] }>()({
  receiver: [text, (row) => row.receiver],
  state: [z.enum(deliveryStates), (row) => row.state],
  tries: [z.int(), (row) => row.tries],
  msgids: [z.array(text).optional(), (row) => orNone(row.msgids, (msgids) => [...readMsgids(msgids)])],
  errcode: [errcode.optional(), (row) => orNone(row.errcode, readErrcode)],
  problem: [text.optional(), (row) => row.problem ?? undefined],
  maybeTwice: [z.boolean(), (row) => row.maybe_twice === 1],
  finishedAt: [time.optional(), (row) => orNone(row.finished_at, iso)],
  attempts: [z.array(attempt.schema), (row) => row.tried.map(attempt.show)],
});

const head = viewOf<MessageRow>()({
  id: [text, (row) => row.id],
  account: [text, (row) => row.account],
  priority: [z.enum(lanes), (row) => row.lane],
  kind: [text, (row) => row.kind],
  template: [
    template.optional(),
    (row) => orNone(row.template_key, (key) => ({ key, version: row.template_version ?? 0 })),
  ],
  campaign: [text.optional(), (row) => row.campaign_id ?? undefined],
  opaque: [opaqueSchema.optional(), (row) => orNone(row.opaque, readOpaque)],
  idempotencyKey: [text.optional(), (row) => row.idempotency_key ?? undefined],
  callbackUrl: [text.optional(), (row) => row.callback_url ?? undefined],
  createdAt: [time, (row) => iso(row.created_at)],
  sendAt: [time, (row) => iso(row.send_at)],
  finishedAt: [time.optional(), (row) => orNone(row.finished_at, iso)],
});
const state = z.enum([...deliveryStates, 'partial']);

/** A message in a list: how many of its receivers are in which state. */
export const messageLine = head.schema.extend({
  state,
  counts: z.partialRecord(z.enum(deliveryStates), z.int()),
});
export type MessageLine = z.infer<typeof messageLine>;

/** A message as its own page shows it. */
export const messageView = head.schema.extend({ state, receivers: z.array(receiver.schema) });
export type MessageView = z.infer<typeof messageView>;

/** A message with its deliveries and every attempt. */
export function viewMessage(
  row: MessageRow,
  deliveries: readonly DeliveryRow[],
  attempts: readonly AttemptRow[],
): MessageView {
  const byDelivery = Map.groupBy(attempts, (each) => each.delivery_id);
  const receivers = deliveries.map((each) =>
    receiver.show({ ...each, tried: byDelivery.get(each.id) ?? [] }),
  );
  return { ...head.show(row), state: messageStateOf(deliveries), receivers };
}

/** A message of a list. */
export function lineMessage(
  row: MessageRow,
  states: readonly { readonly state: DeliveryState; readonly count: number }[],
): MessageLine {
  const counts = Object.fromEntries(states.map(({ state, count }) => [state, Number(count)]));
  return { ...head.show(row), state: messageStateOf(states), counts };
}
