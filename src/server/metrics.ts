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
export function createReloads(registry: Registry) {
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

/** From a Redis round trip to the 10 s of the longest call; `_count` of a histogram is the counter of the same events. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 4, 5, 10];

type Names = readonly string[];
/** The values of some labels, in the order of their names. */
type ValuesOf<N extends Names> = { readonly [Index in keyof N]: string | number };

interface HistogramOptions<N extends Names> {
  /** In seconds. */
  readonly buckets?: readonly number[];
  readonly zeros?: readonly ValuesOf<N>[];
}

/**
 * Makes metrics in a registry: name, help, and the names of the labels. A counter is called with the values of these, a
 * histogram with the values and the seconds that it took. Their labels are bounded: strange values count as `other`.
 * `zeros` are the series that are there before they are first counted: what begins with 1 has not increased, and no alert
 * on an increase sees it.
 */
export function metersOf(registry: Registry) {
  const registers = [registry];
  return {
    counter<const N extends Names>(
      name: string,
      help: string,
      labelNames: N,
      zeros: readonly ValuesOf<N>[] = [],
    ) {
      const counter = new Counter({ name, help, labelNames, registers });
      const labels = labelsOf(labelNames);
      for (const values of zeros) counter.inc(labels(values), 0);
      const count = (...values: ValuesOf<N>): void => counter.inc(labels(values));
      /** One more series that is there before it is first counted. */
      const start = (...values: ValuesOf<N>): void => counter.inc(labels(values), 0);
      return Object.assign(count, { start });
    },
    histogram<const N extends Names>(
      name: string,
      help: string,
      labelNames: N,
      options: HistogramOptions<N> = {},
    ) {
      const { buckets = BUCKETS, zeros = [] } = options;
      const histogram = new Histogram({ name, help, labelNames, buckets: [...buckets], registers });
      const labels = labelsOf(labelNames);
      for (const values of zeros) histogram.zero(labels(values));
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
