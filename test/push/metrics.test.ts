import { expect, test } from 'vitest';
import { createBotMetrics } from '../../src/bot/metrics.ts';
import { createPushMetrics } from '../../src/push/metrics.ts';
import { createRegistry } from '../../src/server/metrics.ts';

test('message delivery counts what it accepts, sends, waits for, tells and answers', async () => {
  const registry = createRegistry();
  const metrics = createPushMetrics(registry);
  metrics.accepted('alert');
  metrics.sent('alert', 0, 0.06);
  metrics.sent('bulk', 'lost', 10);
  metrics.weComCall({ api: 'message/send', errcode: 45009, ms: 80 });
  metrics.weComCall({ api: 'user/get', errcode: 0, ms: 80 });
  metrics.waited('member-minute', 12);
  metrics.breaker('default', 'open');
  metrics.accountPaused('shop', true);
  metrics.badAccounts(['bank']);
  metrics.resultCallback('expired');
  metrics.transactionRetried();
  metrics.request('/v1/messages/:id', 404, 0.003);
  for (const status of [500, 502, 503]) metrics.request('/v1/messages', status, 0.003);
  const text = await registry.metrics();
  for (const line of [
    'keypad_push_accepted_total{lane="alert"} 1',
    'keypad_push_sends_total{lane="alert",errcode="0"} 1',
    'keypad_push_sends_total{lane="bulk",errcode="lost"} 1',
    'keypad_push_sends_total{lane="normal",errcode="0"} 0',
    'keypad_push_send_seconds_bucket{le="0.1",lane="alert"} 1',
    'keypad_wecom_call_seconds_sum{api="message/send",errcode="45009"} 0.08',
    'keypad_push_limiter_wait_seconds_bucket{le="15",limit="member-minute"} 1',
    'keypad_push_breaker_state{account="default"} 2',
    'keypad_push_account_paused{account="shop"} 1',
    'keypad_wecom_failures_total{kind="limit"} 1',
    'keypad_wecom_failures_total{kind="permanent"} 0',
    // 502 is what WeCom said.
    'keypad_push_api_failures_total 2',
    'keypad_account_bad{account="bank"} 1',
    'keypad_push_callbacks_total{result="expired"} 1',
    'keypad_push_transaction_retries_total 1',
    'keypad_push_api_seconds_count{route="/v1/messages/:id",status="404"} 1',
  ]) {
    expect(text).toContain(line);
  }
});

test('the backlog is asked for when the metrics are read, and one that is not known stops nothing', async () => {
  const registry = createRegistry();
  const metrics = createPushMetrics(registry);
  const problems: unknown[] = [];
  let depth = 3;
  let reads = 0;
  metrics.watchBacklog(
    async () => {
      reads += 1;
      if (depth === 0) throw new Error('the database is away');
      const some = { queued: depth, oldestMs: 42_000 };
      return [
        { lane: 'alert', account: 'shop', ...some },
        // What went through robots has gone by the second time.
        ...(depth === 3 ? [{ lane: 'bulk' as const, account: '', ...some }] : []),
      ];
    },
    (error) => void problems.push(error),
  );
  const first = await registry.metrics();
  expect(first).toContain('keypad_push_queue_depth{lane="alert",account="shop"} 3');
  expect(first).toContain('keypad_push_queue_depth{lane="bulk",account=""} 3');
  expect(first).toContain('keypad_push_queue_age_seconds{lane="alert",account="shop"} 42');
  expect(reads).toBe(1);
  depth = 4;
  const second = await registry.metrics();
  expect(second).toContain('keypad_push_queue_depth{lane="alert",account="shop"} 4');
  expect(second).not.toContain('lane="bulk",account=""');
  depth = 0;
  expect(await registry.metrics()).toContain('keypad_push_queue_age_seconds{lane="alert",account="shop"} 42');
  expect(problems).toHaveLength(1);
});

test('bot and message delivery fit into one registry', async () => {
  const registry = createRegistry();
  createBotMetrics(registry);
  createPushMetrics(registry).breaker('default', 'closed');
  expect(await registry.metrics()).toContain('keypad_push_breaker_state{account="default"} 0');
});
