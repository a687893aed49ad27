import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type OpsHarness, openOpsHarness, type Replica, until } from './ops-harness.ts';

const IMPORTS = `import * as z from 'zod';\nimport { change, read, TargetFailed, unit } from '#operations';\n`;
/** What waits until the test lets it go on, under its title in the environment of the test. */
const waits = `await globalThis.limited.get(input.unit)?.();`;
const slow = (limits: string) => `${IMPORTS}
export default change({
  title: '重建索引',
  limits: ${limits},
  input: z.strictObject({ unit }),
  inspect: async () => ({ target: '索引', lines: ['重建'], risk: 'low' }),
  apply: async (_context, { input }) => {
    globalThis.limitedRuns += 1;
    ${waits}
    if (input.unit === '金融') throw new TargetFailed('坏了', { mayHaveHappened: false });
  },
});
`;
const look = (limits: string) => `${IMPORTS}
export default read({
  title: '大报表',
  limits: ${limits},
  input: z.strictObject({ unit }),
  output: z.array(z.string()),
  async run(_context, input) {
    ${waits}
    if (input.unit === '金融') throw new TargetFailed('坏了', { mayHaveHappened: false });
    return ['一'];
  },
});
`;

const shared = globalThis as unknown as { limited: Map<string, () => Promise<void>>; limitedRuns: number };
let harness: OpsHarness;
let one: Replica;
let other: Replica;
beforeAll(async () => {
  harness = await openOpsHarness({
    policy: `
units: { 电商: { environment: test }, 金融: { environment: test } }
roles: { all: { members: { users: [zhangsan] }, grants: [{ operations: ['*'], units: '*', new: allowed }] } }
`,
  });
  const operationsDir = join(harness.directory, 'operations');
  mkdirSync(operationsDir);
  const files = {
    'single.ts': slow('{ running: 1 }'),
    'hourly.ts': slow('{ perHour: 2 }'),
    'looks.ts': look('{ running: 1 }'),
    'looked.ts': look('{ perHour: 2 }'),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(operationsDir, name), text);
  shared.limited = new Map();
  shared.limitedRuns = 0;
  one = await harness.startReplica({ operationsDir });
  other = await harness.startReplica({ operationsDir });
});
afterAll(() => harness.stop());

const input = { unit: '电商' };
const as = (replica: Replica) => replica.as('zhangsan');
async function previewed(name: string, of = input) {
  const answered = await as(one).post(`${name}/preview`, of);
  if (answered.state !== 'preview') throw new Error(JSON.stringify(answered));
  const { id, hash } = answered.preview;
  return { input: of, preview: { id, hash } };
}
/** Holds what runs in a unit until the function that comes back is called. */
function hold(unit = '电商'): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  shared.limited.set(unit, () => promise);
  const release = () => {
    shared.limited.delete(unit);
    resolve();
  };
  onTestFinished(release);
  return release;
}
const busy = (message: string) => ({
  state: 'refused',
  reason: 'busy',
  message: expect.stringContaining(message),
});

describe('a change of which one may run', () => {
  test('runs once, however many confirm it at the same time on two replicas; the others read why and may confirm later', async () => {
    const confirmations = await Promise.all([1, 2, 3, 4, 5, 6].map(() => previewed('single')));
    const release = hold();
    const before = shared.limitedRuns;
    const running = confirmations.map((body, index) => as(index % 2 ? one : other).post('single', body));
    const ended: unknown[] = [];
    for (const each of running) void each.then((answer) => ended.push(answer));
    await until(async () => ended.length === 5);
    expect(shared.limitedRuns - before).toBe(1);
    expect(ended).toEqual(Array(5).fill(busy('「重建索引」同时最多 1 个，现在已有 1 个在执行')));
    // Whoever asks meanwhile reads so before confirming.
    expect(await as(other).post('single/preview', input)).toMatchObject(busy('同时最多 1 个'));
    expect(await as(other).post('single/preview', { unit: '金融' })).toMatchObject(busy('同时最多 1 个'));
    release();
    const answers = await Promise.all(running);
    expect(answers.filter(({ state }) => state === 'done')).toHaveLength(1);
    const [refused = confirmations[0]] = confirmations.filter(
      (_, index) => answers[index]?.state === 'refused',
    );
    expect(await as(one).post('single', refused)).toMatchObject({ state: 'done' });
  });

  test('that a replica left behind when it died counts until it is ended', async () => {
    const { preview } = await previewed('single');
    const now = harness.clock.now();
    await harness.sql(
      "update operations set state = 'started', started_at = ?, lease_owner = 'dead', lease_until = ? where id = ?",
      [now, now + 15_000, preview.id],
    );
    await harness.reseal(preview.id);
    expect(await as(one).post('single/preview', input)).toMatchObject(busy('同时最多 1 个'));
    harness.clock.pass(20_000);
    await other.sweep();
    expect(await as(one).post('single/preview', input)).toMatchObject({ state: 'preview' });
  });
});

test('a change begins so often in an hour: what was refused before its effect does not count, and one that failed does', async () => {
  const bodies = [
    await previewed('hourly'),
    await previewed('hourly', { unit: '金融' }),
    await previewed('hourly'),
  ];
  expect(await as(one).post('hourly', bodies[0])).toMatchObject({ state: 'done' });
  expect(await as(other).post('hourly', bodies[1])).toMatchObject({ state: 'failed' });
  harness.clock.pass(60_000);
  expect(await as(one).post('hourly', bodies[2])).toMatchObject(busy('一小时最多 2 次，请过 59 分钟再试'));
  const audit = await harness.sql('select outcome, reason from audit order by seq desc limit 1');
  expect(audit).toEqual([{ outcome: 'denied', reason: expect.stringContaining('busy: 「重建索引」') }]);
  expect(await as(one).post('hourly/preview', input)).toMatchObject(busy('一小时最多 2 次'));
  harness.clock.pass(3_540_000);
  expect(await as(one).post('hourly/preview', input)).toMatchObject({ state: 'preview' });
});

describe('a read with limits', () => {
  test('runs beside no other, over all replicas, and again when that has ended, also badly', async () => {
    const release = hold('金融');
    const first = as(one).post('looks', { unit: '金融' });
    await until(async () => (await harness.sql('select 1 from limited_reads')).length > 0);
    expect(await as(other).post('looks', input)).toMatchObject(busy('「大报表」同时最多 1 个'));
    release();
    expect(await first).toMatchObject({ state: 'failed' });
    expect(await as(other).post('looks', input)).toMatchObject({ state: 'done' });
  });

  test('of a replica that died counts for a minute', async () => {
    const now = harness.clock.now();
    await harness.sql("insert into limited_reads values (uuid(), 'looks', ?, ?)", [now, now + 60_000]);
    expect(await as(one).post('looks', input)).toMatchObject(busy('同时最多 1 个'));
    harness.clock.pass(60_001);
    expect(await as(one).post('looks', input)).toMatchObject({ state: 'done' });
  });

  test('begins so often in an hour', async () => {
    const asked = [1, 2, 3, 4].map((n) => as(n % 2 ? one : other).post('looked', input));
    const states = (await Promise.all(asked)).map(({ state }) => state).sort();
    expect(states).toEqual(['done', 'done', 'refused', 'refused']);
    harness.clock.pass(3_600_000);
    expect(await as(one).post('looked', input)).toMatchObject({ state: 'done' });
  });
});
