import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { createPushMetrics } from '../../src/push/metrics.ts';
import { createBotMetrics, createOpsMetrics, createRegistry } from '../../src/server/metrics.ts';
import { root } from './sources.ts';

interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string }[];
  }[];
}

const { groups }: Rules = parse(readFileSync(join(root, 'deploy/alerts.yaml'), 'utf8'));
const rules = groups.flatMap((group) => group.rules);

/** Every series that the three roles show once each metric has a value, with its labels. */
async function seriesShown(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const registry = createRegistry();
  const bot = createBotMetrics(registry);
  bot.callback('reply', 1);
  bot.redis('ok', 1);
  bot.opsCall('me', 'done', 1);
  bot.session('started');
  bot.reload('menus', 'refused');
  bot.badAccounts(['shop']);
  bot.deliveryCall('push', 'ok', 1);
  const ops = createOpsMetrics(registry);
  ops.request('me', 'done', 1);
  ops.refusal('policy');
  ops.delivery('away');
  const push = createPushMetrics(registry);
  push.watchBacklog(
    async () => [{ lane: 'alert', queued: 1, oldestMs: 1000 }],
    () => {},
  );
  push.breaker('default', 'closed');
  push.accountPaused('default', true);
  push.badAccounts(['shop']);
  push.accepted('alert');
  push.sent('alert', 0, 1);
  push.weComCall({ api: 'gettoken', errcode: 0, ms: 1 });
  push.waited('member-minute', 1);
  push.resultCallback('delivered');
  push.request('/v1/messages', 202, 1);
  const series = new Map<string, Set<string>>();
  for (const [, name = '', labels = ''] of (await registry.metrics()).matchAll(
    /^(\w+)(?:\{(.*)\})? \S+$/gm,
  )) {
    const known = series.get(name) ?? new Set<string>();
    series.set(name, known);
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label);
  }
  return series;
}

test.each(rules)('$alert speaks of series and labels that exist', async ({ expr }) => {
  const series = await seriesShown();
  const selectors = [...expr.matchAll(/\b((?:keypad|nodejs|process)_\w+)(?:\{([^}]*)\})?/g)];
  expect(selectors.length).toBeGreaterThan(0);
  for (const [, name = '', matchers = ''] of selectors) {
    const labels = [...matchers.matchAll(/(\w+)\s*[=!]/g)].map(([, label]) => label);
    expect([...(series.get(name) ?? [])], name).toEqual(expect.arrayContaining(labels));
    expect(series.has(name), name).toBe(true);
  }
});
