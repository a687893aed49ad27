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
  const gauge = known ?? new Gauge({ name, help, labelNames: ['what'], registers: [registry] });
  return (what: string, result: ReloadResult): void => gauge.set({ what }, result === 'refused' ? 1 : 0);
}

/** What the interface platform counts; durations in seconds. */
export interface BotMetrics {
  /** A callback was answered; `result` says how. */
  callback(result: string, seconds: number): void;
  /** A command to Redis was answered or failed. */
  redis(result: 'ok' | 'error', seconds: number): void;
  /** The ops platform answered `state`, or nothing (`down`). */
  opsCall(operation: string, state: string, seconds: number): void;
  session(change: 'started' | 'ended'): void;
  reload(what: string, result: ReloadResult): void;
  /** A call of message delivery, by its name `what`; `result` is `ok`, `refused`, or `down` when it gave no answer. */
  deliveryCall(what: string, result: 'ok' | 'refused' | 'down', seconds: number): void;
  /** These accounts could not be opened when their file was last read; `*` stands for the file as a whole. */
  badAccounts(names: readonly string[]): void;
}

/** Registers the metrics of the interface platform. Labels are bounded: strange values are counted as `other`. */
export function createBotMetrics(registry: Registry): BotMetrics {
  const registers = [registry];
  const callbacks = histogram(registry, 'keypad_callback_seconds', 'Callbacks by result', ['result']);
  const redis = histogram(registry, 'keypad_redis_seconds', 'Redis commands by result', ['result']);
  const calls = histogram(registry, 'keypad_ops_call_seconds', 'Calls of the ops platform', [
    'operation',
    'state',
  ]);
  const deliveries = histogram(registry, 'keypad_delivery_call_seconds', 'Calls of message delivery', [
    'what',
    'result',
  ]);
  const sessions = new Counter({
    name: 'keypad_sessions_total',
    help: 'Sessions started and ended by their user',
    labelNames: ['change'],
    registers,
  });
  const bad = new Gauge({
    name: 'keypad_bot_account_bad',
    help: '1 for each account whose definition cannot be used; * is the file of accounts as a whole',
    labelNames: ['account'],
    registers,
  });
  const label = { result: createLabel(), operation: createLabel(), state: createLabel() };
  return {
    callback: (result, seconds) => callbacks.observe({ result: label.result(result) }, seconds),
    redis: (result, seconds) => redis.observe({ result }, seconds),
    opsCall: (operation, state, seconds) =>
      calls.observe({ operation: label.operation(operation), state: label.state(state) }, seconds),
    session: (change) => sessions.inc({ change }),
    reload: createReloads(registry),
    deliveryCall: (what, result, seconds) => deliveries.observe({ what, result }, seconds),
    badAccounts(names) {
      bad.reset();
      for (const account of names) bad.set({ account: account.slice(0, 32) }, 1);
    },
  };
}

/** What the ops platform counts; durations in seconds. */
export interface OpsMetrics {
  request(operation: string, state: string, seconds: number): void;
  refusal(reason: string): void;
  reload(what: string, result: ReloadResult): void;
  /** A message was handed to message delivery, or was not taken. */
  delivery(result: 'sent' | 'undeliverable' | 'away'): void;
}

/** Registers the metrics of the ops platform. Labels are bounded: strange values are counted as `other`. */
export function createOpsMetrics(registry: Registry): OpsMetrics {
  const requests = histogram(registry, 'keypad_ops_request_seconds', 'Requests by operation and state', [
    'operation',
    'state',
  ]);
  const refusals = new Counter({
    name: 'keypad_ops_refusals_total',
    help: 'Refused requests by reason',
    labelNames: ['reason'],
    registers: [registry],
  });
  const deliveries = new Counter({
    name: 'keypad_ops_outbox_total',
    help: 'Messages of the outbox by what came of handing them to message delivery',
    labelNames: ['result'],
    registers: [registry],
  });
  const operationLabel = createLabel();
  const stateLabel = createLabel();
  const reasonLabel = createLabel();
  return {
    request: (operation, state, seconds) =>
      requests.observe({ operation: operationLabel(operation), state: stateLabel(state) }, seconds),
    refusal: (reason) => refusals.inc({ reason: reasonLabel(reason) }),
    reload: createReloads(registry),
    delivery: (result) => deliveries.inc({ result }),
  };
}

/** From a Redis round trip to the 10 s of the longest call; `_count` of a histogram is the counter of the same events. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 4, 5, 10];

function histogram<L extends string>(registry: Registry, name: string, help: string, labelNames: L[]) {
  return new Histogram<L>({ name, help, labelNames, buckets: BUCKETS, registers: [registry] });
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
