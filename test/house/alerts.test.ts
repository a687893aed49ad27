import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { countsOf, readRules, readSeries, selected, selectorsOf } from '#test/alert-rules.ts';
import { createBotMetrics } from '../../src/bot/metrics.ts';
import { createOpsMetrics } from '../../src/ops/metrics.ts';
import { createPushMetrics } from '../../src/push/metrics.ts';
import { startInternal } from '../../src/server/internal.ts';
import { createLog } from '../../src/server/log.ts';
import { createRegistry } from '../../src/server/metrics.ts';
import { settings } from './settings.ts';
import { root } from './sources.ts';

const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const rules = readRules();
const alerts = rules.filter(({ alert }) => alert !== undefined);
const records = new Set(rules.flatMap(({ record }) => record ?? []));

/** Everything that the three roles show: in a fresh process, and `used`, once what only comes with events is there. */
async function metricsShown(isUsed: boolean): Promise<string> {
  const registry = createRegistry();
  const bot = createBotMetrics(registry);
  const ops = createOpsMetrics(registry);
  const push = createPushMetrics(registry);
  push.watchBacklog(
    async () => [{ lane: 'alert', account: 'default', queued: 0, oldestMs: 0 }],
    () => {},
  );
  if (isUsed) {
    bot.opsCall('me', 'done', 1);
    bot.session('started');
    bot.reload('menus', 'refused');
    bot.badAccounts(['shop']);
    ops.request('me', { state: 'done' }, 1);
    push.breaker('default', 'closed');
    push.accountPaused('default', true);
    push.accepted('alert');
    push.sent('alert', 0, 1);
    push.weComCall({ api: 'gettoken', errcode: 0, ms: 1 });
    push.waited('member-minute', 1);
  }
  const log = createLog({ level: 'fatal', destination: { write: () => {} } });
  const checks = { redis: async () => {} };
  const { url, close } = await startInternal({
    role: 'bot',
    host: '127.0.0.1',
    port: 0,
    registry,
    checks,
    log,
  });
  const text = await (await fetch(`${url}/metrics`)).text();
  await close();
  return text;
}

const used = readSeries(await metricsShown(true));
const fresh = readSeries(await metricsShown(false));
/** Prometheus itself puts these on what it scrapes. */
const BY_PROMETHEUS = new Set(['job', 'instance']);

test.each(rules)('$name speaks of series and labels that exist', ({ expr }) => {
  for (const { name, matchers } of selectorsOf(expr)) {
    const known = used.filter((series) => series.name === name);
    expect(known.length, name).toBeGreaterThan(0);
    for (const { label } of matchers.filter(({ label }) => !BY_PROMETHEUS.has(label)))
      expect(
        known.some(({ labels }) => labels.has(label)),
        `${name}{${label}}`,
      ).toBe(true);
  }
  for (const [record] of expr.matchAll(/keypad:\w+/g)) expect(records, record).toContain(record);
  expect(expr).toMatch(/keypad_|keypad:|nodejs_|\bup\{/);
});

test.each(rules)('every count that $name looks at is there with 0 before anything happens', (rule) => {
  for (const count of countsOf([rule])) {
    const { name, label, how, value } = count;
    // What is not equal to something cannot be listed.
    expect(how, `${name}{${label}}`).toMatch(/^=~?$/);
    const those = selected(fresh, count);
    expect(those.length, `${name}{${label}="${value}"}`).toBeGreaterThan(0);
    expect(those.every((series) => series.value === 0)).toBe(true);
  }
});

test.each(alerts)('$name says how bad it is, whose it is, and what to do, in names that exist', (rule) => {
  const { severity, role = '' } = rule.labels ?? {};
  const { summary, look } = rule.annotations ?? {};
  expect(severity).toMatch(/^(?:critical|warning)$/);
  expect(role).toMatch(/^(?:bot|ops|push|\{\{.*\}\})$/);
  expect(summary).toMatch(/\S/);
  expect(look).toMatch(/\S/);
  const words = `${summary} ${look}`;
  const known = new Set([...settings.map(({ name }) => name), 'SIGHUP', 'HTTPS_PROXY']);
  for (const [name] of words.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b|\bSIGHUP\b/g)) expect(known).toContain(name);
  for (const [name] of words.matchAll(/\b(?:keypad|nodejs|process)_\w+/g))
    expect(
      used.some(
        (series) => series.name.replace(/_(?:bucket|sum|count)$/, '') === name || series.name === name,
      ),
      name,
    ).toBe(true);
});

test('the table of metrics in deploy/README.md has every metric that there is, with its labels, and no other', () => {
  const documented = [...read('deploy/README.md').matchAll(/^\| `(keypad_\w+)` \|([^|]*)\|/gm)].map(
    ([, name, labels = '']) => `${name} ${[...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label).sort()}`,
  );
  const families = used.flatMap(({ name, labels }) => {
    if (!name.startsWith('keypad_') || /_(?:bucket|sum)$/.test(name)) return [];
    return [`${name.replace(/_seconds_count$/, '_seconds')} ${[...labels.keys()].sort()}`];
  });
  expect(documented.toSorted()).toEqual([...new Set(families)].toSorted());
});

test('for each alert alerts.test.yaml has a case in which it fires and one in which it does not', () => {
  interface Check {
    readonly expr: string;
    readonly exp_samples?: readonly { readonly labels: string }[];
  }
  const { tests }: { tests: readonly { readonly promql_expr_test?: readonly Check[] }[] } = parse(
    read('deploy/alerts.test.yaml'),
  );
  const checks = tests.flatMap((each) => each.promql_expr_test ?? []);
  for (const { name } of alerts) {
    const own = checks.filter(({ expr }) => expr.includes(`alertname="${name}"`));
    const isFiring = ({ exp_samples = [] }: Check) =>
      exp_samples.some(({ labels }) => labels.includes(`alertname="${name}"`));
    expect(own.some(isFiring), `${name} fires`).toBe(true);
    expect(
      own.some((check) => !isFiring(check)),
      `${name} is silent`,
    ).toBe(true);
  }
});
