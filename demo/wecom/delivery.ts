import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../src/errors.ts';
import type { Clock, Member, WeComApp } from './app.ts';
import { type Content, writeCallback } from './callback-xml.ts';
import type { Courier, Delivered, Pace } from './courier.ts';
import type { History } from './history.ts';
import { readPassiveReply } from './passive-reply.ts';

/** How one message is delivered, where it differs from the usual. */
export interface Delivery extends Pace {
  /** Unix seconds; the present when left out. */
  readonly createTime?: number;
  readonly msgId?: string;
  /** Delivers the same message so often, one attempt each, without waiting for answers. */
  readonly times?: number;
  /** Between the starts of those deliveries. */
  readonly gapMs?: number;
}

/** What became of a message. `reply` is the first passive reply; `replies` has one for each of `times`. */
export interface Outcome {
  readonly msgid: string;
  readonly reply: string | null;
  readonly replies: readonly (string | null)[];
  /** Attempts in all; `status` is the HTTP status of the last one, 0 when there was none. */
  readonly attempts: number;
  readonly status: number;
  readonly ms: number;
  /** Why there is no reply although one was due: nothing was delivered, or WeCom would ignore what came back. */
  readonly problem?: string;
  /** There when the reply was cut at 2048 bytes. */
  readonly cut?: true;
}

/** Sends one message or event of a member to the bot; throws an InputError for an unknown member. */
export type Deliver = (user: string, content: Content, delivery?: Delivery) => Promise<Outcome>;

/** Makes `deliver`: it writes what was sent and what came back into the history (protocol §2, §3). */
export function createDelivery(options: {
  readonly app: WeComApp;
  readonly members: readonly Member[];
  readonly courier: Courier;
  readonly history: History;
  readonly pace: Pace;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Deliver {
  const { app, members, courier, history, pace, clock, signal } = options;

  return async (user, content, delivery = {}) => {
    if (!members.some(({ userid }) => userid === user)) throw new InputError(`no member is named ${user}`);
    const { times = 1, gapMs = 0, msgId = newMsgId(), createTime = Math.floor(clock() / 1000) } = delivery;
    const how = { ...pace, ...delivery, ...(times > 1 ? { attempts: 1 } : {}) };
    const plaintext = writeCallback(app, { user, createTime, msgId }, content);
    history.add({ user, direction: 'out', kind: 'sent', text: textOf(content), msgid: msgId });

    const started = performance.now();
    let shown = false;
    const deliverOnce = async (turn: number): Promise<Result> => {
      if (turn > 0) await sleep(turn * gapMs, undefined, { signal });
      const result = readResult(app, user, await courier.post(plaintext, how));
      // The phone shows one reply to one message, however often it was delivered.
      if (result.reply !== null && !shown) {
        shown = true;
        const seen = { user, direction: 'in', kind: 'passive', text: result.reply, msgid: msgId } as const;
        history.add(result.cut ? { ...seen, cut: true } : seen);
      }
      return result;
    };
    const results = await Promise.all(Array.from({ length: times }, (_, turn) => deliverOnce(turn)));
    return summarise(msgId, results, Math.round(performance.now() - started));
  };
}

interface Result {
  readonly delivered: Delivered;
  readonly reply: string | null;
  readonly cut: boolean;
  readonly problem?: string;
}

function readResult(app: WeComApp, user: string, delivered: Delivered): Result {
  const nothing = { delivered, reply: null, cut: false };
  if (delivered.problem !== undefined) return { ...nothing, problem: delivered.problem };
  try {
    const reply = readPassiveReply(app, user, delivered.body);
    return reply === undefined ? nothing : { delivered, reply: reply.text, cut: reply.cut };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { ...nothing, problem: `the reply is ignored: ${error.message}` };
  }
}

function summarise(msgid: string, results: readonly Result[], ms: number): Outcome {
  const replies = results.map(({ reply }) => reply);
  const problem = results.find((result) => result.problem !== undefined)?.problem;
  return {
    msgid,
    reply: replies.find((reply) => reply !== null) ?? null,
    replies,
    attempts: results.reduce((sum, { delivered }) => sum + delivered.attempts, 0),
    status: results.at(-1)?.delivered.status ?? 0,
    ms,
    ...(problem === undefined ? {} : { problem }),
    ...(results.some(({ cut }) => cut) ? { cut: true as const } : {}),
  };
}

/** A random positive 64-bit id; nearly all are over 2^53, which a reader of JSON numbers would spoil (protocol §2.2). */
function newMsgId(): string {
  return `${randomBytes(8).readBigUInt64BE() >> 1n}`;
}

function textOf(content: Content): string {
  if (content.type === 'text') return content.content;
  return content.type === 'event' ? `[${content.event}]` : `[${content.type}]`;
}
