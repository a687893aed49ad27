import { Gauge, type Registry } from 'prom-client';
import { createBadAccounts, metersOf } from '../server/metrics.ts';
import type { ApiCall } from '../wecom/api/call.ts';
import { adviseOn, errorKinds } from '../wecom/api/errcodes.ts';
import type { BreakerState } from './accounts/breaker.ts';
import { type Lane, lanes } from './content/message.ts';
import type { Depth } from './queue/backlog-store.ts';

/** What message delivery counts; durations in seconds, except those of a {@link ApiCall}. */
export type PushMetrics = ReturnType<typeof createPushMetrics>;

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30];
const WAITS = [0.1, 1, 5, 15, 60, 300, 1800, 3600, 21_600, 86_400];
const callbackResults = ['delivered', 'retried', 'refused', 'expired'].map((result) => [result] as const);
const BREAKER: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 };

/** Registers the metrics of message delivery. */
export function createPushMetrics(registry: Registry) {
  const { counter, gauge, histogram } = metersOf(registry);
  // A series that has never been counted cannot be compared: the alerts ask for sends that do not come.
  const none = lanes.map((lane) => [lane, 0] as const);
  const sends = counter('keypad_push_sends_total', 'Sends by what WeCom answered', ['lane', 'errcode'], none);
  const answers = 'How long WeCom takes to answer a send';
  const sendSeconds = histogram('keypad_push_send_seconds', answers, ['lane'], { buckets: SECONDS });
  const anyCall = 'Calls of the WeCom server API';
  const calls = histogram('keypad_wecom_call_seconds', anyCall, ['api', 'errcode'], { buckets: SECONDS });
  const kinds = errorKinds.map((kind) => [kind] as const);
  const byKind = 'Calls of the WeCom server API that failed, by what the errcode asks for';
  const callFailed = counter('keypad_wecom_failures_total', byKind, ['kind'], kinds);
  const states = 'Circuit breaker: 0 closed, 1 half-open, 2 open';
  const breaker = gauge('keypad_push_breaker_state', states, ['account']);
  const refused = 'Accounts that WeCom refuses: 1 while messages wait';
  const paused = gauge('keypad_push_account_paused', refused, ['account']);
  const retries = 'Transactions run again for a lock';
  const requests = histogram('keypad_push_api_seconds', 'Requests of the API', ['route', 'status'], {
    buckets: SECONDS,
    zeros: [['/v1/messages', 202]],
  });
  const faults = 'Requests of the API that ended in an error of ours';
  const requestFailed = counter('keypad_push_api_failures_total', faults, [], [[]]);
  return {
    /** Says how to ask for the backlog when somebody reads the metrics; what fails shows nothing new and is reported. */
    watchBacklog(read: () => Promise<readonly Depth[]>, onError: (error: unknown) => void): void {
      let asked: Promise<readonly Depth[]> = Promise.resolve([]);
      const ask = () => {
        asked = read().catch((error: unknown) => {
          onError(error);
          return [];
        });
        return asked;
      };
      const shown = (name: string, help: string, all: typeof read, seen: (depth: Depth) => number) =>
        new Gauge({
          ...{ name, help, labelNames: ['lane', 'account'], registers: [registry] },
          async collect() {
            const depths = await all();
            if (depths.length > 0) this.reset();
            for (const each of depths) this.set({ lane: each.lane, account: each.account }, seen(each));
          },
        });
      // Both are collected at once, in this order: what the first asks serves both.
      shown('keypad_push_queue_depth', 'Deliveries that are due', ask, ({ queued }) => queued);
      const oldest = 'Age of the oldest delivery that is due';
      shown(
        'keypad_push_queue_age_seconds',
        oldest,
        () => asked,
        ({ oldestMs }) => oldestMs / 1000,
      );
    },
    /** A message was written down. */
    accepted: counter('keypad_push_accepted_total', 'Messages written down', ['lane']),
    /** WeCom was asked to send; `errcode` 0 is success, a word stands for no answer. */
    sent(lane: Lane, errcode: number | string, seconds: number): void {
      sends(lane, errcode);
      sendSeconds(lane, seconds);
    },
    /** Any call of WeCom, also those that send nothing. */
    weComCall({ api, errcode, ms }: ApiCall): void {
      calls(api, errcode, ms / 1000);
      if (errcode !== 0) callFailed(adviseOn(errcode, '').kind);
    },
    /** A delivery was put off because of a limit, for so long. */
    waited: histogram('keypad_push_limiter_wait_seconds', 'Put off by a limit', ['limit'], {
      buckets: WAITS,
    }),
    breaker: (account: string, state: BreakerState): void => breaker.set({ account }, BREAKER[state]),
    /** Whether WeCom refuses this account, so that its messages wait. */
    accountPaused: (account: string, isPaused: boolean): void => paused.set({ account }, isPaused ? 1 : 0),
    badAccounts: createBadAccounts(registry),
    /** A webhook was `delivered`, is to be tried again (`retried`), or has ended without (`refused`, `expired`). */
    resultCallback: counter('keypad_push_callbacks_total', 'Result callbacks', ['result'], callbackResults),
    /** A transaction lost a deadlock, or waited for a lock in vain, and was run again. */
    transactionRetried: counter('keypad_push_transaction_retries_total', retries, []),
    /** The API answered; `route` is its pattern, never the address. */
    request(route: string, status: number, seconds: number): void {
      requests(route, status, seconds);
      // 502 is WeCom's no to a request that waited for it.
      if (status >= 500 && status !== 502) requestFailed();
    },
  };
}
