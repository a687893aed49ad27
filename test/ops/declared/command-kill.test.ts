import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { type Replica, until } from '../ops-harness.ts';
import { postTo, startOpsProcess } from '../ops-process.ts';
import { type CommandHarness, isRunning, openCommandHarness } from './command-harness.ts';

/** A process takes a second to start, and fifteen where much else runs. */
const TIME = { timeout: 120_000 };

let harness: CommandHarness;
let out: string;
let count = 0;
beforeAll(async () => {
  harness = await openCommandHarness();
  const { script, declare } = harness;
  const change = { risk: 'low', title: '轮换', input: { out: { title: '目录', type: 'string' } } };
  const work = `echo $$ >>"$1/pids"
setsid sh -c 'trap "" TERM; echo $$ >>"$1/pids"; touch "$1/left"; while :; do sleep 1; done' sh "$1" &
env -i /bin/sh -c 'echo $$ >>"$1/pids"; touch "$1/cleared"; exec /bin/sleep 1000' sh "$1" &
until [ -e "$1/left" ] && [ -e "$1/cleared" ]; do sleep 0.02; done
trap '' TERM
echo half; touch "$1/begun"; until [ -e "$1/go" ]; do sleep 0.02; done; touch "$1/finished"`;
  const looks = `trap '' TERM; echo $$ >>"$1/pids"; touch "$1/begun"; while :; do sleep 1; done`;
  declare('looks', { run: script('looks', looks), args: ['{out}'], seconds: 10 }, { input: change.input });
  declare('work', { run: script('work', work), args: ['{out}'], target: '主机', seconds: 60 }, change);
});
afterAll(() => harness.stop());
beforeEach(() => {
  out = join(harness.directory, `out-${++count}`);
  mkdirSync(out);
  chmodSync(out, 0o777);
});
const pids = () => readFileSync(join(out, 'pids'), 'utf8').trim().split('\n').map(Number);

/** A platform in its own process that was asked to run it, and has begun with it. */
async function begun() {
  const ops = await startOpsProcess(harness, { OPERATIONS_DIR: harness.operationsDir });
  onTestFinished(() => void ops.child.kill('SIGKILL'));
  const post = postTo(ops.url);
  const input = { unit: '电商', out };
  const { preview: { id, hash } = { id: '', hash: '' } } = await post('work/preview', input);
  const answered = post('work', { input, preview: { id, hash } }).catch(() => 'lost');
  await until(async () => existsSync(join(out, 'begun')));
  return { ...ops, id, answered };
}
async function next(): Promise<Replica> {
  harness.clock.pass(20_000);
  const replica = await harness.startReplica({ operationsDir: harness.operationsDir });
  await replica.sweep();
  return replica;
}

test(
  'kill -9 of the platform while it runs: all that it started ends, it runs once, and its user hears the truth',
  TIME,
  async () => {
    const { child, id } = await begun();
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(pids()).toHaveLength(3);
    await until(async () => pids().every((pid) => !isRunning(pid)));
    const replica = await next();
    expect((await harness.told(id)).text).toMatch(
      /^轮换 主机：结果不明，平台中断过(，脚本被中止，可能只做了一部分|；脚本可能没有开始，也可能被中止、只做了一部分)，请自行确认$/,
    );
    expect(pids()).toHaveLength(3);
    expect(existsSync(join(out, 'finished'))).toBe(false);
    await replica.close();
  },
);

test(
  'kill -9 right before it is started, and after its end: it is not run again, and nothing is guessed',
  TIME,
  async () => {
    const { child, id, answered } = await begun();
    mkdirSync(join(out, 'go'));
    await answered;
    await until(
      async () => (await harness.sql('select state from operations where id = ?', [id]))[0]?.state === 'done',
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
    await until(async () => pids().every((pid) => !isRunning(pid)));
    // As a platform leaves it that dies between the row and the start.
    await harness.sql(
      "update operations set state = 'started', text = null, finished_at = null, lease_owner = 'dead', lease_until = 1 where id = ?",
      [id],
    );
    await harness.sql('delete from outbox');
    await harness.reseal(id);
    const replica = await next();
    await until(
      async () =>
        (await harness.sql('select state from operations where id = ?', [id]))[0]?.state === 'unknown',
    );
    const [row] = await harness.sql('select text from operations where id = ?', [id]);
    expect(row?.text).toBe(
      '轮换 主机：结果不明，平台中断过；脚本可能没有开始，也可能被中止、只做了一部分，请自行确认',
    );
    expect(pids()).toHaveLength(3);
    await replica.close();
  },
);

test(
  'a platform that is asked to stop ends it in time, although it does not listen, and tells that',
  TIME,
  async () => {
    const { child, id } = await begun();
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    await until(async () => pids().every((pid) => !isRunning(pid)));
    const [row] = await harness.sql('select state, text from operations where id = ?', [id]);
    expect(row).toEqual({
      state: 'unknown',
      text: '轮换 主机：没有成功，平台中断过，脚本被中止，可能只做了一部分\nhalf',
    });
  },
);

test(
  'a platform that is asked to stop while somebody waits for a read ends that too, and answers',
  TIME,
  async () => {
    const { child, url } = await startOpsProcess(harness, { OPERATIONS_DIR: harness.operationsDir });
    onTestFinished(() => void child.kill('SIGKILL'));
    const answered = postTo(url)('looks', { unit: '电商', out });
    await until(async () => existsSync(join(out, 'begun')));
    child.kill('SIGTERM');
    const [[code], answer] = await Promise.all([once(child, 'exit'), answered]);
    expect(answer).toMatchObject({ state: 'failed', message: '脚本没有成功：平台中断过，脚本被中止' });
    expect(code).toBe(0);
  },
);
