import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RunningCaches, type Stage, startCaches } from '../../../demo/caches.ts';
import type { Answer } from '../../../src/contract/answer.ts';
import { CACHE_TOKEN, type OpsHarness, openOpsHarness, until } from '../ops-harness.ts';
import { postTo, startOpsProcess } from '../ops-process.ts';

/** The operation of the demo, `operations/app/cache/flush.yaml`, on a platform of its own that is killed. */

let caches: RunningCaches;
let harness: OpsHarness;
let child: ChildProcess;
let post: (path: string, body: unknown) => Promise<Answer>;
beforeEach(async () => {
  caches = await startCaches({ port: 0, token: CACHE_TOKEN });
  const policy = readFileSync('deploy/policy.yaml', 'utf8').replace('http://127.0.0.1:8084', caches.url);
  harness = await openOpsHarness({ policy });
  const started = await startOpsProcess(harness);
  child = started.child;
  post = postTo(started.url) as typeof post;
});
afterEach(async () => {
  await kill();
  await caches.stop();
  await harness.stop();
});
const kill = async (): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
};

const input = { unit: '电商', cache: 'goods' };
const preview = async () => {
  const shown = await post('app.cache.flush/preview', input);
  if (shown.state !== 'preview') throw new Error(JSON.stringify(shown));
  expect(shown.preview.lines).toEqual(['电商 · goods', '缓存：商品（goods）', '条目 1280 → 0']);
  return shown.preview;
};
/** Ids that the service was told, in whatever place. */
const idsSeen = (): readonly string[] =>
  caches.requests.flatMap(({ path, headers }) => {
    const closed = /operations\/([^/]+)\/close/.exec(path)?.[1];
    return [headers['idempotency-key'], closed].filter((id) => typeof id === 'string');
  });

test.each<[string, Stage, number, string]>([
  ['before it sends', 'look', 0, '清空缓存 goods：没有执行，平台中断过，请重新操作'],
  ['while the service has not acted', 'before', 0, '清空缓存 goods：没有执行，平台中断过，请重新操作'],
  ['when the service has acted', 'after', 1, '清空缓存 goods：已执行'],
])('kill -9 %s: once at most, and the user is told the truth', async (_when, stage, flushes, text) => {
  const { id, hash, code } = await preview();
  const held = caches.hold(stage);
  const lost = post('app.cache.flush', { input, preview: { id, hash }, code }).catch(() => 'lost');
  await held.reached;
  await kill();
  expect(await lost).toBe('lost');

  const next = await harness.startReplica();
  harness.clock.pass(20_000);
  await next.sweep();
  expect(await harness.told(id)).toMatchObject({ to: { users: ['zhangsan'] }, text });
  // What was still on its way arrives only now.
  held.release();
  await until(async () => (await next.as('zhangsan').read('app.cache.list', { unit: '电商' })).length > 0);
  expect(caches.flushes()).toBe(flushes);
  expect(new Set(idsSeen())).toEqual(new Set([id]));
  const rows = await harness.sql(
    `select outcome from audit where operation = 'app.cache.flush' order by seq`,
  );
  expect(rows.map(({ outcome }) => outcome)).toEqual(['allowed', flushes === 1 ? 'done' : 'failed']);
});

test('an answer that is lost after the effect: it is found out, told as done, and not done again', async () => {
  const { id, hash, code } = await preview();
  caches.setFault('lose');
  const answered = await post('app.cache.flush', { input, preview: { id, hash }, code });
  expect(answered).toMatchObject({ state: 'accepted', text: expect.stringContaining('正在确认') });
  await kill();
  harness.clock.pass(20_000);
  const next = await harness.startReplica();
  await next.sweep();
  expect(await harness.told(id)).toMatchObject({ text: '清空缓存 goods：已执行' });
  expect(caches.flushes()).toBe(1);
  expect(idsSeen()).toEqual([id, id]);
});

test('a service that is away while it is asked what became of a change: the question is put off, not answered', async () => {
  const { id, hash, code } = await preview();
  caches.setFault('lose');
  await post('app.cache.flush', { input, preview: { id, hash }, code });
  await kill();
  await caches.stop();
  harness.clock.pass(20_000);
  const next = await harness.startReplica();
  await next.sweep();
  expect(harness.push.attempts).toEqual([]);
  const [row] = await harness.sql('select state from operations where id = ?', [id]);
  expect(row).toEqual({ state: 'started' });
});

test('a service that does not answer the look before the effect: nothing was done, and that is said', async () => {
  const { id, hash, code } = await preview();
  const held = caches.hold('look');
  expect(await post('app.cache.flush', { input, preview: { id, hash }, code })).toEqual({
    state: 'failed',
    message: '没有执行：服务 caches 没有给出完整的回答（超时、中断或太长）',
  });
  held.release();
  expect([caches.flushes(), idsSeen()]).toEqual([0, []]);
});

test('what moved since the preview is not confirmed with it', async () => {
  const { id, hash, code } = await preview();
  await fetch(`${caches.url}/shop/caches/goods/flush`, {
    method: 'POST',
    headers: { authorization: `Bearer ${CACHE_TOKEN}` },
  });
  const answered = await post('app.cache.flush', { input, preview: { id, hash }, code });
  expect(answered).toMatchObject({
    state: 'refused',
    reason: 'moved',
    message: 'goods 刚刚被改动过，没有执行',
    preview: { lines: ['电商 · goods', '缓存：商品（goods）', '条目 0 → 0'] },
  });
  expect(caches.flushes()).toBe(1);
});

test('a secret stands in no command line of the platform or of what it starts', async () => {
  await preview();
  const lines = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });
  expect(lines.join('\n')).toContain('src/main.ts\0ops');
  expect(lines.join('\n')).not.toContain(CACHE_TOKEN);
});
