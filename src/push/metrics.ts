import { Gauge, type Registry } from 'prom-client';
import { createBadAccounts, createLabel, metersOf } from '../server/metrics.ts';
import type { SentCall } from '../wecom/api/outgoing.ts';
import { type Lane, lanes } from './content/message.ts';
import type { Depth } from './delivery/depth-store.ts';

/** Whether WeCom is called at all: `half-open` tries whether it is back. */
export type BreakerState = 'closed' | 'half-open' | 'open';

/** What message delivery counts; durations in seconds, except those of a {@link SentCall}. */
export interface PushMetrics {
  /** Says how to ask for the backlog when somebody reads the metrics; what fails shows nothing new and is reported. */
  watchBacklog(read: () => Promise<readonly Depth[]>, onError: (error: unknown) => void): void;
  /** A message was written down. */
  accepted(lane: Lane): void;
  /** WeCom was asked to send; `errcode` 0 is success, a word stands for no answer. */
  sent(lane: Lane, errcode: number | string, seconds: number): void;
  /** Any call of WeCom, also those that send nothing. */
  weComCall(call: SentCall): void;
  /** A delivery was put off because of a limit, for so long. */
  waited(limit: string, seconds: number): void;
  breaker(account: string, state: BreakerState): void;
  /** Whether WeCom refuses this account, so that its messages wait. */
  accountPaused(account: string, isPaused: boolean): void;
  /** These accounts could not be used when their file was last read; `*` stands for the file as a whole. */
  badAccounts(names: readonly string[]): void;
  /** A webhook was `delivered`, is to be tried again (`retried`), or has ended without (`refused`, `expired`). */
  resultCallback(result: string): void;
  /** A transaction lost a deadlock, or waited for a lock in vain, and was run again. */
  transactionRetried(): void;
  /** The API answered; `route` is its pattern, never the address. */
  request(route: string, status: number, seconds: number): void;
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30];
const WAITS = [0.1, 1, 5, 15, 60, 300, 1800, 3600, 21_600, 86_400];
const BREAKER: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 };

/** Registers the metrics of message delivery. Labels are bounded: strange values are counted as `other`. */
export function createPushMetrics(registry: Registry): PushMetrics {
  const { counter, gauge, ...meters } = metersOf(registry);
  const histogram: typeof meters.histogram = (name, help, labelNames, buckets = SECONDS) =>
    meters.histogram(name, help, labelNames, buckets);

  const accepted = counter('keypad_push_accepted_total', 'Messages written down', ['lane']);
  const sends = counter('keypad_push_sends_total', 'Sends by what WeCom answered', ['lane', 'errcode']);
  const sendSeconds = histogram('keypad_push_send_seconds', 'How long WeCom takes to answer a send', [
    'lane',
  ]);
  const calls = histogram('keypad_wecom_call_seconds', 'Calls of the WeCom server API', ['api', 'errcode']);
  const waits = histogram('keypad_push_limiter_wait_seconds', 'Put off by a limit', ['limit'], WAITS);
  const breaker = gauge('keypad_push_breaker_state', 'Circuit breaker: 0 closed, 1 half-open, 2 open', [
    'account',
  ]);
  const paused = gauge('keypad_push_account_paused', 'Accounts that WeCom refuses: 1 while messages wait', [
    'account',
  ]);
  const callbacks = counter('keypad_push_callbacks_total', 'Result callbacks', ['result']);
  const retries = counter('keypad_push_transaction_retries_total', 'Transactions run again for a lock', []);
  const requests = histogram('keypad_push_api_seconds', 'Requests of the API', ['route', 'status']);

  const errcodeLabel = createLabel();
  const callErrcodeLabel = createLabel();
  const apiLabel = createLabel();
  const limitLabel = createLabel();
  const resultLabel = createLabel();
  const routeLabel = createLabel();
  // A series that has never been counted cannot be compared: the alerts ask for sends that do not come.
  for (const lane of lanes) sends.inc({ lane, errcode: errcodeLabel('0') }, 0);
  return {
    watchBacklog(read, onError) {
      // Both gauges are collected at once, and so is what they show.
      let asked: Promise<readonly Depth[]> | undefined;
      const ask = () => {
        asked ??= read()
          .catch((error: unknown) => {
            onError(error);
            return [];
          })
          .finally(() => {
            asked = undefined;
          });
        return asked;
      };
      const show = (name: string, help: string, numberOf: (depth: Depth) => number) =>
        new Gauge({
          name,
          help,
          labelNames: ['lane'],
          registers: [registry],
          async collect() {
            for (const depth of await ask()) this.set({ lane: depth.lane }, numberOf(depth));
          },
        });
      show('keypad_push_queue_depth', 'Deliveries that are due', ({ queued }) => queued);
      show(
        'keypad_push_queue_age_seconds',
        'Age of the oldest delivery that is due',
        ({ oldestMs }) => oldestMs / 1000,
      );
    },
    accepted: (lane) => accepted.inc({ lane }),
    sent(lane, errcode, seconds) {
      sends.inc({ lane, errcode: errcodeLabel(String(errcode)) });
      sendSeconds.observe({ lane }, seconds);
    },
    weComCall: ({ api, errcode, ms }) =>
      calls.observe({ api: apiLabel(api), errcode: callErrcodeLabel(String(errcode)) }, ms / 1000),
    waited: (limit, seconds) => waits.observe({ limit: limitLabel(limit) }, seconds),
    breaker: (account, state) => breaker.set({ account }, BREAKER[state]),
    accountPaused: (account, isPaused) => paused.set({ account }, isPaused ? 1 : 0),
    badAccounts: createBadAccounts(registry),
    resultCallback: (result) => callbacks.inc({ result: resultLabel(result) }),
    transactionRetried: () => retries.inc(),
    request: (route, status, seconds) =>
      requests.observe({ route: routeLabel(route), status: String(status) }, seconds),
  };
}
