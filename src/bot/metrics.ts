import type { Registry } from 'prom-client';
import { callbackResults } from '../channels/wecom-callback/callback.ts';
import { createBadAccounts, createReloads, metersOf } from '../server/metrics.ts';
import { notifierCalls } from './notifier.ts';

/** What the interface platform counts. */
export type BotMetrics = ReturnType<typeof createBotMetrics>;

/** How a call of the ops platform fails: no answer, or a fault over there. Any other answer is one. */
const FAILURES = ['down', 'error'] as const;

/** Registers the metrics of the interface platform. */
export function createBotMetrics(registry: Registry) {
  const { histogram, counter } = metersOf(registry);
  const calls = histogram('keypad_ops_call_seconds', 'Calls of the ops platform', ['operation', 'state']);
  const failures = 'Calls of the ops platform without an answer, or with an error of its own';
  const zeros = FAILURES.map((state) => [state] as const);
  const failed = counter('keypad_ops_call_failures_total', failures, ['state'], zeros);
  return {
    /** A callback was answered; `result` says how. */
    callback: histogram('keypad_callback_seconds', 'Callbacks by result', ['result'], {
      zeros: callbackResults.map((result) => [result]),
    }),
    /** A command to Redis was answered or failed. */
    redis: histogram('keypad_redis_seconds', 'Redis commands by result', ['result'], {
      zeros: [['ok'], ['error']],
    }),
    /** The ops platform answered `state`, or nothing (`down`). */
    opsCall(operation: string, state: string, seconds: number): void {
      calls(operation, state, seconds);
      if (FAILURES.some((failure) => failure === state)) failed(state);
    },
    session: counter('keypad_sessions_total', 'Sessions started and ended by their user', ['change']),
    reload: createReloads(registry),
    /** A call of message delivery, by its name `what`; `result` says whether it took or answered it. */
    deliveryCall: histogram('keypad_delivery_call_seconds', 'Calls of message delivery', ['what', 'result'], {
      zeros: notifierCalls,
    }),
    /** These accounts could not be opened when their file was last read; `*` stands for the file as a whole. */
    badAccounts: createBadAccounts(registry),
  };
}
