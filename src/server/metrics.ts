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
  const help = '1 while a changed file is refused and what was read before goes on serving';
  const gauge = metersOf(registry).gauge('keypad_reload_refused', help, ['what']);
  return (what: string, result: ReloadResult): void => gauge.set({ what }, result === 'refused' ? 1 : 0);
}

/**
 * Registers the gauge of accounts that cannot be used as `ACCOUNTS_FILE` defines them. What comes back takes all their
 * names after each reading; `*` stands for the file as a whole.
 */
export function createBadAccounts(registry: Registry): (names: readonly string[]) => void {
  const help = '1 for each account whose definition cannot be used; * is the file of accounts as a whole';
  const gauge = metersOf(registry).gauge('keypad_account_bad', help, ['account']);
  return (names) => {
    gauge.reset();
    for (const account of names) gauge.set({ account: account.slice(0, 32) }, 1);
  };
}

/** What the interface platform counts. */
export type BotMetrics = ReturnType<typeof createBotMetrics>;

/** Registers the metrics of the interface platform. */
export function createBotMetrics(registry: Registry) {
  const { histogram, counter } = metersOf(registry);
  return {
    /** A callback was answered; `result` says how. */
    callback: histogram('keypad_callback_seconds', 'Callbacks by result', ['result']),
    /** A command to Redis was answered or failed. */
    redis: histogram('keypad_redis_seconds', 'Redis commands by result', ['result']),
    /** The ops platform answered `state`, or nothing (`down`). */
    opsCall: histogram('keypad_ops_call_seconds', 'Calls of the ops platform', ['operation', 'state']),
    session: counter('keypad_sessions_total', 'Sessions started and ended by their user', ['change']),
    reload: createReloads(registry),
    /** A call of message delivery, by its name `what`; `result` is `down` when it gave no answer. */
    deliveryCall: histogram('keypad_delivery_call_seconds', 'Calls of message delivery', ['what', 'result']),
    /** These accounts could not be opened when their file was last read; `*` stands for the file as a whole. */
    badAccounts: createBadAccounts(registry),
  };
}

/** Registers the metrics of the ops platform. */
export function createOpsMetrics(registry: Registry) {
  const { histogram, counter, gauge } = metersOf(registry);
  const broken = '1 while the audit does not end as this replica has seen it, and so nothing is changed';
  const auditBroken = gauge('keypad_audit_broken', broken, []);
  auditBroken.set(0);
  const requests = 'keypad_ops_request_seconds';
  const outbox = 'Messages of the outbox by what came of handing them to message delivery';
  const retries = 'Transactions run again for a lock';
  return {
    request: histogram(requests, 'Requests by operation and state', ['operation', 'state']),
    refusal: counter('keypad_ops_refusals_total', 'Refused requests by reason', ['reason']),
    reload: createReloads(registry),
    /** A message was handed to message delivery, or was not taken. */
    delivery: counter('keypad_ops_outbox_total', outbox, ['result']),
    /** The audit was found cut or changed. */
    auditBroken: (): void => auditBroken.set(1),
    /** A transaction lost a deadlock, or waited for a lock in vain, and was run again. */
    transactionRetried: counter('keypad_ops_transaction_retries_total', retries, []),
  };
}

/** From a Redis round trip to the 10 s of the longest call; `_count` of a histogram is the counter of the same events. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 4, 5, 10];

type Names = readonly string[];
/** The values of some labels, in the order of their names. */
type ValuesOf<N extends Names> = { readonly [Index in keyof N]: string | number };

/**
 * Makes metrics in a registry: name, help, and the names of the labels. A counter is called with the values of these, a
 * histogram with the values and the seconds that it took. Their labels are bounded: strange values count as `other`.
 */
export function metersOf(registry: Registry) {
  const registers = [registry];
  return {
    /** `zeros` are the series that are there before they are first counted. */
    counter<const N extends Names>(name: string, help: string, labelNames: N, zeros: ValuesOf<N>[] = []) {
      const counter = new Counter({ name, help, labelNames, registers });
      const labels = labelsOf(labelNames);
      for (const values of zeros) counter.inc(labels(values), 0);
      return (...values: ValuesOf<N>): void => counter.inc(labels(values));
    },
    histogram<const N extends Names>(name: string, help: string, labelNames: N, buckets = BUCKETS) {
      const histogram = new Histogram({ name, help, labelNames, buckets, registers });
      const labels = labelsOf(labelNames);
      return (...values: readonly [...ValuesOf<N>, seconds: number]): void =>
        histogram.observe(labels(values), Number(values.at(-1)));
    },
    /** Roles that share a registry share a gauge of the same name. */
    gauge: <L extends string>(name: string, help: string, labelNames: L[]) =>
      (registry.getSingleMetric(name) as Gauge<L> | undefined) ??
      new Gauge<L>({ name, help, labelNames, registers }),
  };
}

function labelsOf(names: Names) {
  const bounds = names.map(() => createLabel());
  return (values: ValuesOf<Names>): Record<string, string> =>
    Object.fromEntries(names.map((name, index) => [name, bounds[index]?.(`${values[index]}`) ?? '']));
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
