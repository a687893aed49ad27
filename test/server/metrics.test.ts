import { expect, test } from 'vitest';
import { createBotMetrics } from '../../src/bot/metrics.ts';
import { createOpsMetrics } from '../../src/ops/metrics.ts';
import { createLabel, createRegistry } from '../../src/server/metrics.ts';

test('the bot counts callbacks, Redis, ops calls, sessions and calls of message delivery', async () => {
  const registry = createRegistry();
  const metrics = createBotMetrics(registry);
  metrics.callback('reply', 0.003);
  metrics.redis('ok', 0.0004);
  metrics.opsCall('k8s.scale', 'done', 0.2);
  metrics.opsCall('me', 'down', 10);
  metrics.session('started');
  metrics.deliveryCall('push', 'down', 0.08);
  const text = await registry.metrics();
  expect(text).toContain('keypad_callback_seconds_count{result="reply"} 1');
  expect(text).toContain('keypad_callback_seconds_bucket{le="0.005",result="reply"} 1');
  expect(text).toContain('keypad_redis_seconds_count{result="ok"} 1');
  expect(text).toContain('keypad_ops_call_seconds_count{operation="k8s.scale",state="done"} 1');
  expect(text).toContain('keypad_ops_call_seconds_count{operation="me",state="down"} 1');
  expect(text).toContain('keypad_ops_call_failures_total{state="down"} 1');
  expect(text).toContain('keypad_ops_call_failures_total{state="error"} 0');
  expect(text).toContain('keypad_sessions_total{change="started"} 1');
  expect(text).toContain('keypad_delivery_call_seconds_sum{what="push",result="down"} 0.08');
});

test('the ops platform counts requests, refusals, and what ended badly', async () => {
  const registry = createRegistry();
  const metrics = createOpsMetrics(registry);
  const message = '';
  metrics.request('k8s.scale', { state: 'refused', reason: 'replay', message }, 0.01);
  metrics.request('k8s.scale', { state: 'unknown', message }, 0.01);
  metrics.request('me', { state: 'failed', message }, 0.01);
  metrics.request('me', { state: 'done' }, 0.01);
  metrics.refusedSource();
  const text = await registry.metrics();
  expect(text).toContain('keypad_ops_request_seconds_count{operation="k8s.scale",state="refused"} 1');
  expect(text).toContain('keypad_ops_request_seconds_count{operation="me",state="done"} 1');
  expect(text).toContain('keypad_ops_refusals_total{reason="replay"} 1');
  expect(text).toContain('keypad_ops_refusals_total{reason="source"} 1');
  expect(text).toContain('keypad_ops_failures_total{operation="k8s.scale",state="unknown"} 1');
  expect(text).toContain('keypad_ops_failures_total{operation="me",state="failed"} 1');
});

test('a refused reload shows until the file is good again', async () => {
  const registry = createRegistry();
  const metrics = createBotMetrics(registry);
  metrics.reload('menus', 'refused');
  expect(await registry.metrics()).toContain('keypad_reload_refused{what="menus"} 1');
  metrics.reload('menus', 'accepted');
  expect(await registry.metrics()).toContain('keypad_reload_refused{what="menus"} 0');
});

test('both roles fit into one registry, beside the event-loop lag of the process', async () => {
  const registry = createRegistry();
  createBotMetrics(registry);
  createOpsMetrics(registry);
  expect(await registry.metrics()).toContain('nodejs_eventloop_lag_seconds');
});

test('strange label values are counted as other, and so are all beyond the limit', () => {
  const label = createLabel(2);
  const values = ['a', 'two words', 'b', 'c', 'a', 'x'.repeat(65), '日志'];
  expect(values.map(label)).toEqual(['a', 'other', 'b', 'other', 'a', 'other', 'other']);
});
