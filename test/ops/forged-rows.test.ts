import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/ops/database.ts';
import { migrate } from '../../src/ops/migrations.ts';
import {
  type OpsHarness,
  openOpsHarness,
  type PreviewAnswer,
  type Replica,
  recordsOf,
  until,
} from './ops-harness.ts';

let harness: OpsHarness;
let ops: Replica;
let other: Replica;
beforeAll(async () => {
  harness = await openOpsHarness();
  ops = await harness.startReplica();
  other = await harness.startReplica();
});
afterAll(() => harness.stop());

const input = { unit: '电商', namespace: 'shop', name: 'cart', replicas: 4 };
const replicas = (name = 'cart') => harness.cluster.get('deployments', 'shop', name)?.spec.replicas;
const stateOf = async (id: string, table = 'operations') =>
  (await harness.sql(`select state from ${table} where id = ?`, [id]))[0]?.state;
const counted = async () => {
  const all = await Promise.all([ops, other].map((replica) => replica.metrics()));
  const counts = all.flatMap((text) => [...text.matchAll(/^keypad_ops_forged_total\{.*\} (\d+)$/gm)]);
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
};
/** The row of the audit that speaks of a forged one. */
const audited = (id: string) =>
  until(
    async () =>
      (
        await harness.sql("select reason, outcome from audit where reason like concat('forged: %', ?)", [id])
      )[0],
  );

let shown: PreviewAnswer;
beforeEach(async () => {
  harness.cluster.scale('shop', 'cart', 3);
  shown = await ops.as('zhangsan').preview('k8s.scale', input);
});

describe('a preview that somebody with the database has changed is never run:', () => {
  test.each([
    ['another target', "target = 'shop/order'"],
    ['another amount', "input = replace(input, '4', '9')"],
    ['another user', "user = 'wangwu'"],
    ['another operation', "operation = 'k8s.restart'"],
    ['another unit', "unit = '支付'"],
    ['another version of the object', "version = '1'"],
    ['no code', "code = null, risk = 'low', hash = 'h'"],
    ['a longer time', 'expires_at = expires_at + 1000000'],
    ['no MAC', 'mac = null'],
    ['the MAC of nothing', "mac = repeat('0', 64)"],
  ])('%s', async (_what, change) => {
    const before = await counted();
    await harness.sql(`update operations set ${change} where id = ?`, [shown.id]);
    const [row] = await harness.sql('select user, input, hash from operations where id = ?', [shown.id]);
    const changed = { id: shown.id, hash: String(row?.hash) };
    const answer = await other
      .as(String(row?.user))
      .run('k8s.scale', JSON.parse(String(row?.input)), changed);
    expect(answer).toMatchObject({ state: 'refused', reason: 'tampered' });
    expect(replicas()).toBe(3);
    expect(await stateOf(shown.id)).toBe('forged');
    expect(await audited(shown.id)).toMatchObject({ outcome: 'denied' });
    expect(await counted()).toBe(before + 1);
  });
});

test('an operation that has run and is put back is not run again, be it with the MAC that it had', async () => {
  const before = (await harness.sql('select * from operations where id = ?', [shown.id]))[0] ?? {};
  expect(await ops.as('zhangsan').run('k8s.scale', input, shown)).toMatchObject({ state: 'done' });
  harness.cluster.scale('shop', 'cart', 3);
  const { state, mac } = before;
  const putBack = 'update operations set state = ?, started_at = null, text = null, mac = ? where id = ?';
  await harness.sql(putBack, [state, mac, shown.id]);
  expect(await other.as('zhangsan').run('k8s.scale', input, shown)).toMatchObject({ reason: 'tampered' });
  await harness.sql("update operations set state = 'applied' where id = ?", [shown.id]);
  await harness.sql("update operations set state = 'previewed' where id = ?", [shown.id]);
  expect(await other.as('zhangsan').run('k8s.scale', input, shown)).toMatchObject({ reason: 'tampered' });
  expect(replicas()).toBe(3);
});

test('an operation that somebody inserted is neither run, taken up nor told', async () => {
  const copy = async (state: string) => {
    const id = randomUUID();
    const [row] = await harness.sql('select * from operations where id = ?', [shown.id]);
    const columns = Object.keys(row ?? {})
      .map((name) => `\`${name}\``)
      .join(', ');
    await harness.sql(
      `insert into operations (${columns}) select ${columns.replace('`id`', '?')} from operations where id = ?`,
      [id, shown.id],
    );
    await harness.sql(
      "update operations set state = ?, started_at = ?, text = '伪造', lease_owner = ?, lease_until = 1 where id = ?",
      [state, harness.clock.now(), randomUUID(), id],
    );
    return id;
  };
  const [preview, started, applied, done] = [
    await copy('previewed'),
    await copy('started'),
    await copy('applied'),
    await copy('done'),
  ];
  await Promise.all([ops.sweep(), other.sweep()]);
  expect(await ops.as('zhangsan').run('k8s.scale', input, { ...shown, id: preview })).toMatchObject({
    reason: 'tampered',
  });
  for (const id of [started, applied]) expect(await stateOf(id)).toBe('forged');
  const settled = await ops.as('zhangsan').acknowledge('operation.settle', { id: done });
  expect(settled.text).toMatch(/^操作的记录被改过/);
  harness.clock.pass(60_001);
  await Promise.all([ops.sweep(), other.sweep()]);
  expect(
    harness.push.attempts.filter(({ idempotencyKey }) =>
      [preview, started, applied, done].some((id) => idempotencyKey.includes(id)),
    ),
  ).toEqual([]);
  expect(replicas()).toBe(3);
});

test('what is changed while it runs is told to who confirmed it, or to nobody', async () => {
  await ops.as('zhangsan').run('k8s.scale', input, shown);
  await harness.sql("update outbox set user = 'lisi' where id = ?", [`outcome-${shown.id}`]);
  harness.clock.pass(20_000);
  await ops.sweep();
  expect(await stateOf(`outcome-${shown.id}`, 'outbox')).toBe('forged');
  const second = await ops.as('zhangsan').preview('k8s.scale', { ...input, replicas: 2 });
  const now = harness.clock.now();
  await harness.sql(
    "update operations set state = 'applied', started_at = ?, lease_owner = ?, lease_until = ? where id = ?",
    [now, randomUUID(), now + 3_600_000, second.id],
  );
  await harness.reseal(second.id);
  // In one step: whoever looks by itself in between would take it as it was.
  await harness.sql("update operations set user = 'lisi', lease_until = 1 where id = ?", [second.id]);
  await ops.sweep();
  expect(await stateOf(second.id)).toBe('forged');
  expect(harness.push.told('lisi')).toEqual([]);
});

test.each([
  [
    'inserted',
    async (id: string) =>
      harness.sql(
        "insert into outbox (id, user, text, state, due_at, tries) values (?, 'lisi', '请转账', 'waiting', 1, 0)",
        [id],
      ),
  ],
  [
    'copied from another',
    async (id: string) => {
      const mac = recordsOf(null as never).messageMac({ id: 'outcome-x', user: 'lisi', text: '请转账' });
      await harness.sql(
        "insert into outbox (id, user, text, state, due_at, tries, mac) values (?, 'lisi', '请转账', 'waiting', 1, 0, ?)",
        [id, mac],
      );
    },
  ],
])('a message that somebody has %s is told to nobody, and holds nobody up', async (_what, attack) => {
  const id = `outcome-${randomUUID()}`;
  const before = await counted();
  await attack(id);
  await Promise.all([ops.sweep(), other.sweep()]);
  await Promise.all([ops.sweep(), other.sweep()]);
  expect(await stateOf(id, 'outbox')).toBe('forged');
  expect(harness.push.attempts.filter(({ text }) => text === '请转账')).toEqual([]);
  expect(await audited(id)).toMatchObject({ outcome: 'denied' });
  expect(await counted()).toBe(before + 1);
});

test('what was open when an earlier version was replaced goes on; nothing of it comes in later', async () => {
  const old = await openOpsHarness();
  const db = openDatabase(old.mysqlUrl);
  const records = recordsOf(db);
  await migrate(records);
  const replica = await old.startReplica();
  const open = await replica.as('zhangsan').preview('k8s.scale', input);
  const untold = await replica.as('zhangsan').preview('k8s.scale', { ...input, replicas: 2 });
  await replica.close();
  await old.sql("delete from kysely_migration where name >= '2026-12-verified-rows'");
  for (const table of ['operations', 'outbox']) await old.sql(`alter table ${table} drop column mac`);
  const now = old.clock.now();
  await old.sql(
    "update operations set state = 'done', text = '旧版本的结果', tell_after = ?, finished_at = ? where id = ?",
    [now, now, untold.id],
  );
  await old.sql(
    "insert into outbox (id, user, text, state, due_at, tries) values ('outcome-1', 'lisi', '还没说的', 'waiting', 1, 0)",
  );
  // Somebody began the update and was killed in its middle: one table has its column, and no row has its MAC.
  await old.sql('alter table operations add column mac char(64) character set ascii collate ascii_bin');
  // Somebody else could have had it begun again, with rows of theirs: the settings have to say that it is an update.
  await expect(old.startReplica()).rejects.toThrow(/OPS_ADOPT_ROWS: 4 open rows .* have no MAC/);
  expect(await old.sql('select id from operations where mac is not null')).toEqual([]);
  expect(await old.sql('select id from outbox where mac is not null')).toEqual([]);
  expect(old.push.told('lisi')).toEqual([]);
  const updated = await old.startReplica({ adoptsRows: true });
  const [row] = await old.sql("select reason from audit where operation = 'migration'");
  expect(row).toEqual({ reason: '4 open rows of an earlier version got a MAC' });
  expect(await updated.as('zhangsan').run('k8s.scale', input, open)).toMatchObject({ state: 'done' });
  await updated.sweep();
  expect((await old.told(untold.id)).text).toBe('旧版本的结果');
  expect(old.push.told('lisi')).toEqual(['还没说的']);
  await old.sql('update operations set mac = null where id = ?', [untold.id]);
  expect(await migrate(records)).toBe(0);
  await db.destroy();
  await old.stop();
});
