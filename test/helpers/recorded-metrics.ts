import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { alertsFile, readRules, readSeries, selectorsOf } from './alert-rules.ts';
import { promtool } from './promtool.ts';

/** The roles, each with the address of its internal port. */
type Targets = Readonly<Record<'bot' | 'ops' | 'push', string>>;

const STEP_S = 15;
const names = new Set(readRules().flatMap(({ expr }) => selectorsOf(expr).map(({ name }) => name)));

/** One value of a series. As with Prometheus, it ends at the first scrape that does not see it any more. */
function valueAt(values: readonly (number | undefined)[], step: number): number | string {
  return values[step] ?? (values[step - 1] === undefined ? '_' : 'stale');
}

/**
 * Plays what the roles really show to the rules, as a Prometheus that scrapes each 15 s would have it. Its time is told, so
 * nobody waits for it: `scrape` looks once, and what it saw stays for so many seconds.
 */
export function recordMetrics(targets: Targets) {
  const values = new Map<string, (number | undefined)[]>();
  const starts = new Map<number, number>();
  let steps = 0;

  const put = (series: string, value: number, times: number): void => {
    const known = values.get(series) ?? [];
    values.set(series, known);
    for (let i = 0; i < times; i += 1) known[steps + i] = value;
  };
  const lookAt = async (role: string, url: string, times: number): Promise<void> => {
    const target = { job: `keypad-${role}`, instance: role };
    const named = (name: string, labels: object) =>
      `${name}{${Object.entries(labels)
        .map(([label, value]) => `${label}="${value}"`)
        .join(',')}}`;
    const answered = await fetch(`${url}/metrics`).catch(() => undefined);
    put(named('up', target), answered === undefined ? 0 : 1, times);
    const shift = Date.now() / 1000 - steps * STEP_S;
    for (const { name, labels, value } of readSeries((await answered?.text()) ?? '')) {
      if (!names.has(name)) continue;
      const series = named(name, { ...Object.fromEntries(labels), ...target });
      if (name !== 'process_start_time_seconds') {
        put(series, value, times);
        continue;
      }
      // By the clock of the play, and a process begins once, however often it is looked at.
      const begun = starts.get(value) ?? value - shift;
      starts.set(value, begun);
      put(series, begun, times);
    }
  };
  const seconds = (): number => steps * STEP_S;
  return {
    /** What the roles show now is what they show for so many seconds. */
    async scrape(forSeconds: number): Promise<void> {
      const times = forSeconds / STEP_S;
      await Promise.all(Object.entries(targets).map(([role, url]) => lookAt(role, url, times)));
      steps += times;
    },
    seconds,
    /** Throws what promtool says if other alerts than these, by name, were firing at any minute between two times. */
    expectFiring(
      alerts: readonly string[],
      { from, to }: { readonly from: number; readonly to: number },
    ): void {
      const directory = mkdtempSync(join(tmpdir(), 'keypad-alerts-'));
      try {
        const at = Array.from({ length: Math.floor((to - from) / 60) + 1 }, (_, i) => from + 60 * i);
        const firing = {
          expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
          exp_samples: alerts.map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 })),
        };
        const input = [...values].map(([series, all]) => ({
          series,
          values: Array.from({ length: steps }, (_, step) => valueAt(all, step)).join(' '),
        }));
        const played = {
          interval: `${STEP_S}s`,
          input_series: input,
          promql_expr_test: at.map((second) => ({ ...firing, eval_time: `${second}s` })),
        };
        const file = { rule_files: [alertsFile], evaluation_interval: `${STEP_S}s`, tests: [played] };
        writeFileSync(join(directory, 'played.yaml'), stringify(file));
        const { isContent, said } = promtool(directory, 'test', 'rules', 'played.yaml');
        if (!isContent) throw new Error(said);
      } finally {
        rmSync(directory, { recursive: true, force: true });
      }
    },
  };
}
