import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** A registry of its own, with the process itself (memory, CPU, event-loop lag) in it. */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** Whether what stands in a file now is what serves. */
export type ReloadResult = 'accepted' | 'refused';

/** Registers the gauge of what is read again while a role runs: 1 while the last reading was refused and an old one serves. */
function createReloads(registry: Registry) {
  const name = 'keypad_reload_refused';
  const help = '1 while a changed file is refused and what was read before goes on serving';
  const known = registry.getSingleMetric(name) as Gauge<'what'> | undefined;
  const gauge = known ?? metersOf(registry).gauge(name, help, ['what']);
  return (what: string, result: ReloadResult): void => gauge.set({ what }, result === 'refused' ? 1 : 0);
}

/**
 * Registers the gauge of accounts that cannot be used as `ACCOUNTS_FILE` defines them. What comes back takes all their
 * names after each reading; `*` stands for the file as a whole.
 */
export function createBadAccounts(registry: Registry): (names: readonly string[]) => void {
  const name = 'keypad_account_bad';
  const help = '1 for each account whose definition cannot be used; * is the file of accounts as a whole';
  const known = registry.getSingleMetric(name) as Gauge<'account'> | undefined;
  const gauge = known ?? metersOf(registry).gauge(name, help, ['account']);
  return (names) => {
    gauge.reset();
    for (const account of names) gauge.set({ account: account.slice(0, 32) }, 1);
  };
}

/** What the interface platform counts. */
export type BotMetrics = ReturnType<typeof createBotMetrics>;

/**
 * Registers the metrics of the interface platform; durations are in seconds. Labels are bounded: strange values are
 * counted as `other`.
 */
export function createBotMetrics(registry: Registry) {
  const { histogram, counter } = metersOf(registry);
  const callbacks = histogram('keypad_callback_seconds', 'Callbacks by result', ['result']);
  const redis = histogram('keypad_redis_seconds', 'Redis commands by result', ['result']);
  const calls = histogram('keypad_ops_call_seconds', 'Calls of the ops platform', ['operation', 'state']);
  const delivery = 'keypad_delivery_call_seconds';
  const deliveries = histogram(delivery, 'Calls of message delivery', ['what', 'result']);
  const sessions = counter('keypad_sessions_total', 'Sessions started and ended by their user', ['change']);
  const label = { result: createLabel(), operation: createLabel(), state: createLabel() };
  return {
    /** A callback was answered; `result` says how. */
    callback: (result: string, seconds: number) =>
      callbacks.observe({ result: label.result(result) }, seconds),
    /** A command to Redis was answered or failed. */
    redis: (result: 'ok' | 'error', seconds: number) => redis.observe({ result }, seconds),
    /** The ops platform answered `state`, or nothing (`down`). */
    opsCall: (operation: string, state: string, seconds: number) =>
      calls.observe({ operation: label.operation(operation), state: label.state(state) }, seconds),
    session: (change: 'started' | 'ended') => sessions.inc({ change }),
    reload: createReloads(registry),
    /** A call of message delivery, by its name `what`; `result` is `down` when it gave no answer. */
    deliveryCall: (what: string, result: 'ok' | 'refused' | 'down', seconds: number) =>
      deliveries.observe({ what, result }, seconds),
    /** These accounts could not be opened when their file was last read; `*` stands for the file as a whole. */
    badAccounts: createBadAccounts(registry),
  };
}

/**
 * Registers the metrics of the ops platform; durations are in seconds. Labels are bounded: strange values are counted as
 * `other`.
 */
export function createOpsMetrics(registry: Registry) {
  const { histogram, counter } = metersOf(registry);
  const seconds = 'keypad_ops_request_seconds';
  const requests = histogram(seconds, 'Requests by operation and state', ['operation', 'state']);
  const refusals = counter('keypad_ops_refusals_total', 'Refused requests by reason', ['reason']);
  const outcome = 'Messages of the outbox by what came of handing them to message delivery';
  const deliveries = counter('keypad_ops_outbox_total', outcome, ['result']);
  const retries = counter('keypad_ops_transaction_retries_total', 'Transactions run again for a lock', []);
  const label = { operation: createLabel(), state: createLabel(), reason: createLabel() };
  return {
    request: (operation: string, state: string, seconds: number) =>
      requests.observe({ operation: label.operation(operation), state: label.state(state) }, seconds),
    refusal: (reason: string) => refusals.inc({ reason: label.reason(reason) }),
    reload: createReloads(registry),
    /** A message was handed to message delivery, or was not taken. */
    delivery: (result: 'sent' | 'undeliverable' | 'away') => deliveries.inc({ result }),
    /** A transaction lost a deadlock, or waited for a lock in vain, and was run again. */
    transactionRetried: () => retries.inc(),
  };
}

/** From a Redis round trip to the 10 s of the longest call; `_count` of a histogram is the counter of the same events. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 4, 5, 10];

/** Makes metrics in a registry: name, help, and the names of the labels. */
export function metersOf(registry: Registry) {
  const registers = [registry];
  return {
    counter: <L extends string>(name: string, help: string, labelNames: L[]) =>
      new Counter<L>({ name, help, labelNames, registers }),
    histogram: <L extends string>(name: string, help: string, labelNames: L[], buckets = BUCKETS) =>
      new Histogram<L>({ name, help, labelNames, buckets, registers }),
    gauge: <L extends string>(name: string, help: string, labelNames: L[]) =>
      new Gauge<L>({ name, help, labelNames, registers }),
  };
}

/**
 * Bounds the values of one metric label: the first `limit` plain words pass, everything else is `other`, so that no
 * caller can fill the memory with time series.
 */
export function createLabel(limit = 64): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= limit || !/^[\w.:/-]{1,64}$/.test(value)) return 'other';
    known.add(value);
    return value;
  };
}
