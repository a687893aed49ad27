import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createSecret } from '../../../src/config.ts';
import { type Replica, until } from '../ops-harness.ts';
import { type CommandHarness, isRunning, openCommandHarness, text } from './command-harness.ts';

let harness: CommandHarness;
let ops: Replica;
let count = 0;
/** Where the scripts of one test write, and find what they wait for. */
let out: string;

/** Says who it is, counts its runs, and waits for a word of the test. */
const waits = `echo $$ >>"$1/pids"; echo begun; i=0; until [ -e "$1/go" ]; do sleep 0.02; done; echo gone on`;

beforeAll(async () => {
  harness = await openCommandHarness();
  const { script, declare } = harness;
  const input = { name: text('名字') };
  const given = { args: ['{name}'], target: '主机 {name}' };
  const change = { risk: 'low', title: '轮换', input };
  declare('waits', { run: script('waits', waits), ...given, seconds: 600, lines: 3 }, change);
  declare(
    'noisy',
    {
      run: script('noisy', 'yes line | head -n 30; echo "1 确认"; exit 0'),
      ...given,
      lines: 2,
      exit: { 0: '轮换好了' },
    },
    change,
  );
  declare('fails', { run: script('fails', 'echo half; exit 3'), ...given, exit: { 3: '盘满了' } }, change);
  declare('stubborn', { run: script('stubborn', `trap '' TERM; ${waits}`), ...given, seconds: 1 }, change);
  declare('changing', { run: script('changing', 'echo one'), ...given }, change);
  declare(
    'single',
    { run: script('single', waits), ...given, seconds: 60 },
    { ...change, limits: { running: 1 } },
  );
  declare('killed', { run: script('killed', 'kill -9 $$'), ...given }, change);
  ops = await start();
});
afterAll(() => harness.stop());
beforeEach(() => {
  out = join(harness.directory, `out-${++count}`);
  mkdirSync(out);
  chmodSync(out, 0o777);
});

const start = () =>
  harness.startReplica({ operationsDir: harness.operationsDir, pluginEnvironment: createSecret({}) });
async function previewed(name: string, on = ops) {
  const answered = await on.as('zhangsan').post(`${name}/preview`, { unit: '电商', name: out });
  if (answered.state !== 'preview') throw new Error(JSON.stringify(answered));
  const { id, hash, lines } = answered.preview;
  return { id, lines, body: { input: { unit: '电商', name: out }, preview: { id, hash } } };
}
const confirmed = async (name: string, on = ops) => {
  const { id, body } = await previewed(name, on);
  return { id, answered: on.as('zhangsan').post(name, body) };
};
const pids = () =>
  existsSync(join(out, 'pids')) ? readFileSync(join(out, 'pids'), 'utf8').trim().split('\n').map(Number) : [];
const go = () => harness.sql('select 1').then(() => mkdirSync(join(out, 'go')));
const rowOf = async (id: string) =>
  (await harness.sql('select state, text from operations where id = ?', [id]))[0];
const toldOf = (id: string) =>
  harness.push.attempts.filter(({ idempotencyKey }) => idempotencyKey.includes(id)).map(({ text }) => text);

/** The clock is so many seconds after the confirmation, and the replica still has the lease and has looked again. */
async function passUntil(id: string, seconds: number): Promise<void> {
  const leaseOf = async () => {
    const [row] = await harness.sql('select started_at, lease_until from operations where id = ?', [id]);
    return { startedAt: Number(row?.started_at), until: Number(row?.lease_until) };
  };
  const isRenewed = async () => (await leaseOf()).until > harness.clock.now() + 10_000;
  harness.clock.pass(8000);
  // For seven seconds from now on it is not renewed, and so not set back.
  await until(isRenewed);
  const ahead = (await leaseOf()).startedAt + seconds * 1000 - harness.clock.now();
  await harness.sql('update operations set lease_until = ? where id = ?', [
    harness.clock.now() + ahead + 9000,
    id,
  ]);
  harness.clock.pass(ahead);
  await until(isRenewed);
}

test('its preview says what is typed and how long it may take, and its answer how it ended, with its last lines', async () => {
  const { lines, body, id } = await previewed('noisy');
  expect(lines).toEqual([`电商 · 主机 ${out}`, `名字：${out}`, '最长 10 秒']);
  const ended = `轮换 主机 ${out}：轮换好了\n……前面还有 29 行\nline\n1 确认`;
  expect(await ops.as('zhangsan').post('noisy', body)).toEqual({ state: 'done', text: ended });
  expect(await rowOf(id)).toEqual({ state: 'done', text: ended });
});

test('a code that is not good is a failure of which a part may be done, in the answer and in the audit', async () => {
  const { answered } = await confirmed('fails');
  const message = `轮换 主机 ${out}：没有成功，盘满了（退出码 3），可能只做了一部分\nhalf`;
  expect(await answered).toEqual({ state: 'failed', message });
  const [row] = await harness.sql('select outcome from audit order by seq desc limit 1');
  expect(row).toEqual({ outcome: 'failed' });
  expect(await (await confirmed('killed')).answered).toMatchObject({
    message: expect.stringContaining('被信号 SIGKILL 中止，可能只做了一部分'),
  });
});

test('it is asked to end after its time, then ended, and its user is told that', async () => {
  const { id, answered } = await confirmed('stubborn');
  expect(await answered).toMatchObject({ state: 'accepted' });
  expect((await harness.told(id)).text).toBe(
    `轮换 主机 ${out}：没有成功，超过 1 秒，被中止，可能只做了一部分\nbegun`,
  );
  expect(pids().map(isRunning)).toEqual([false]);
});

describe('while it runs', () => {
  test('whoever asks is answered how it stands, and its user hears so ever more seldom, each time once', async () => {
    const { id, answered } = await confirmed('waits');
    expect(await answered).toEqual({ state: 'accepted', text: `已提交：轮换 主机 ${out}，完成后会告诉你` });
    const settled = () => ops.as('zhangsan').acknowledge('operation.settle', { id });
    const pending = /：还在执行（\d+ 秒）\nbegun\n（正在执行，完成后会告诉你）$/;
    await until(async () => {
      const { state, text } = await settled();
      return state === 'pending' && pending.test(text);
    });
    expect(toldOf(id)).toEqual([]);
    for (const [seconds, count] of [
      [31, 1],
      [110, 1],
      [125, 2],
      [590, 2],
      [605, 3],
    ] as const) {
      await passUntil(id, seconds);
      expect(await until(async () => toldOf(id).length >= count && toldOf(id).length)).toBe(count);
    }
    expect(toldOf(id).at(-1)).toMatch(/^轮换 主机 .*：还在执行（\d+ 秒）\nbegun$/);
    await go();
    expect((await harness.told(id)).text).toBe(`轮换 主机 ${out}：已完成\nbegun\ngone on`);
    expect(pids()).toHaveLength(1);
  });

  test('another one of which only one may run is refused, on every replica', async () => {
    const other = await start();
    const { answered, id } = await confirmed('single');
    await until(async () => pids().length === 1);
    expect(await other.as('zhangsan').post('single/preview', { unit: '电商', name: out })).toMatchObject({
      state: 'refused',
      reason: 'busy',
    });
    await go();
    await answered;
    await until(async () => (await rowOf(id))?.state === 'done');
    await other.close();
  });
});

test('a platform that stops ends it, and tells the truth', async () => {
  const stopping = await start();
  const { id, answered } = await confirmed('waits', stopping);
  await until(async () => pids().length === 1);
  await stopping.close();
  expect(await answered.catch(() => 'lost')).toBeDefined();
  expect(pids().map(isRunning)).toEqual([false]);
  expect(await rowOf(id)).toEqual({
    state: 'unknown',
    text: `轮换 主机 ${out}：没有成功，平台中断过，脚本被中止，可能只做了一部分\nbegun`,
  });
});

test('a replica whose lease went to another one ends it', async () => {
  const { id, answered } = await confirmed('waits');
  await answered;
  await harness.sql("update operations set lease_owner = 'another', lease_until = ? where id = ?", [
    harness.clock.now() + 1e9,
    id,
  ]);
  harness.clock.pass(10_000);
  await until(async () => pids().every((pid) => !isRunning(pid)));
});

test('a program that was replaced since the preview is not run: the new one is to be confirmed', async () => {
  const { body } = await previewed('changing');
  harness.script('changing', 'echo two');
  expect(await ops.as('zhangsan').post('changing', body)).toMatchObject({
    state: 'refused',
    reason: 'moved',
    message: '要执行的程序刚刚被换过，没有执行',
    preview: { lines: [`电商 · 主机 ${out}`, `名字：${out}`, '最长 10 秒'] },
  });
});

test('one whose start cannot be recorded is ended at once, and told as what it is', async () => {
  await harness.sql(
    "create trigger no_applied before update on operations for each row begin if new.state = 'applied' then signal sqlstate '45000'; end if; end",
  );
  const { id, answered } = await confirmed('waits');
  expect(await answered).toMatchObject({ state: 'accepted', text: expect.stringContaining('正在确认') });
  await harness.sql('drop trigger no_applied');
  expect(pids().map(isRunning).includes(true)).toBe(false);
  harness.clock.pass(20_000);
  await ops.sweep();
  await until(async () => (await rowOf(id))?.state === 'unknown');
  expect((await rowOf(id))?.text).toContain('平台中断过，脚本被中止，可能只做了一部分');
});
