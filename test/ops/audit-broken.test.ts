import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAudit, verifyAudit } from '../../src/ops/audit/audit.ts';
import { type Database, openDatabase } from '../../src/ops/database.ts';
import {
  AUDIT_KEY,
  type OpsHarness,
  openOpsHarness,
  type PreviewAnswer,
  type Replica,
} from './ops-harness.ts';

let harness: OpsHarness;
let db: Database;
let ops: Replica;
let other: Replica;
beforeAll(async () => {
  harness = await openOpsHarness();
  db = openDatabase(harness.mysqlUrl);
});
afterAll(async () => {
  await db.destroy();
  await harness.stop();
});

const input = { unit: '电商', namespace: 'shop', name: 'cart', replicas: 4 };
const replicas = () => harness.cluster.get('deployments', 'shop', 'cart')?.spec.replicas;
const isBroken = async (replica: Replica) => /^keypad_audit_broken (\d)$/m.exec(await replica.metrics())?.[1];
const links = (replica: Replica) => replica.logged.flatMap(({ link }) => (link === undefined ? [] : [link]));
/** The newest row of the table, or the one before it. */
const rowBack = async (back: number) => {
  const rows = db.selectFrom('audit').select(['seq', 'mac']).orderBy('seq', 'desc').offset(back).limit(1);
  return rows.executeTakeFirstOrThrow();
};
const setHead = (link: { seq: number; mac: string }) => db.updateTable('audit_head').set(link).execute();
const cutBehind = (seq: number) => db.deleteFrom('audit').where('seq', '>', seq).execute();

describe('replicas that share an audit', () => {
  beforeAll(async () => {
    ops = await harness.startReplica();
    other = await harness.startReplica();
  });
  afterAll(() => Promise.all([ops.close(), other.close()]));

  test('take it as it is when the other one goes on', async () => {
    for (const replica of [ops, other, other, ops]) {
      await replica.as('zhangsan').read('me', {});
      expect(
        await replica.as('zhangsan').change('k8s.restart', { unit: '电商', namespace: 'shop', name: 'web' }),
      ).toMatchObject({ state: expect.stringMatching(/^(done|accepted)$/) });
    }
    await Promise.all([ops, other, ops, other].map((replica) => replica.as('zhangsan').read('me', {})));
    expect([await isBroken(ops), await isBroken(other)]).toEqual(['0', '0']);
  });

  test('write its newest link to the log, once a minute when it has moved, and at the end', async () => {
    const lone = await harness.startReplica();
    const minute = async (): Promise<void> => {
      harness.clock.pass(60_001);
      await lone.sweep();
    };
    await minute();
    const before = links(lone).length;
    await lone.as('zhangsan').read('me', {});
    await lone.sweep();
    expect(links(lone)).toHaveLength(before);
    await minute();
    const [link = ''] = links(lone).slice(before) as string[];
    await minute();
    expect(links(lone)).toHaveLength(before + 1);
    await lone.as('zhangsan').read('me', {});
    const { seq, mac } = await rowBack(0);
    await lone.close();
    expect(links(lone).slice(before)).toEqual([link, `${seq}:${mac}`]);
    const [at, expected = ''] = link.split(':');
    expect((await verifyAudit(db, AUDIT_KEY, { seq: Number(at), mac: expected })).problems).toEqual([]);
  });
});

describe('a database administrator who', () => {
  let shown: PreviewAnswer;
  let saved: { rows: object[]; head: object };
  beforeEach(async () => {
    [ops, other] = await Promise.all([harness.startReplica(), harness.startReplica()]);
    harness.cluster.scale('shop', 'cart', 3);
    await other.as('lisi').read('me', {});
    shown = await ops.as('zhangsan').preview('k8s.scale', input);
    // Both have seen the newest link.
    harness.clock.pass(60_001);
    await Promise.all([ops.sweep(), other.sweep()]);
    saved = {
      rows: await db.selectFrom('audit').selectAll().execute(),
      head: await db.selectFrom('audit_head').selectAll().executeTakeFirstOrThrow(),
    };
  });
  afterEach(async () => {
    await Promise.all([ops.close(), other.close()]);
    await db.deleteFrom('audit').execute();
    await db.deleteFrom('audit_head').execute();
    await db
      .insertInto('audit')
      .values(saved.rows as never)
      .execute();
    await db
      .insertInto('audit_head')
      .values(saved.head as never)
      .execute();
  });

  const attacks: readonly (readonly [string, () => Promise<unknown>])[] = [
    [
      'cuts the end off together with the head',
      async () => {
        const earlier = await rowBack(1);
        await cutBehind(earlier.seq);
        await setHead(earlier);
      },
    ],
    [
      'cuts the end off and goes on with rows of his own, past its number',
      async () => {
        const earlier = await rowBack(1);
        await cutBehind(earlier.seq);
        await setHead(earlier);
        const forger = createAudit(db, 'a key that is not the right one');
        for (let index = 0; index < 3; index += 1) {
          await forger.append({ at: 1, outcome: 'done', operation: 'me' });
        }
      },
    ],
    [
      'empties both',
      async () => {
        await cutBehind(0);
        await db.deleteFrom('audit_head').execute();
      },
    ],
    [
      'empties both and makes a new beginning',
      async () => {
        await cutBehind(0);
        await setHead({ seq: 0, mac: '0'.repeat(64) });
      },
    ],
    ['cuts only rows', async () => cutBehind((await rowBack(1)).seq)],
    ['turns only the head back', async () => setHead(await rowBack(1))],
    ['removes only the head', () => db.deleteFrom('audit_head').execute()],
    ['writes another head', async () => setHead({ ...(await rowBack(0)), mac: 'f'.repeat(64) })],
    [
      'changes the newest row',
      async () =>
        db
          .updateTable('audit')
          .set({ mac: 'f'.repeat(64) })
          .where('seq', '=', (await rowBack(0)).seq)
          .execute(),
    ],
  ];

  test.each(attacks)('%s ends all changes, and reads go on', async (_what, attack) => {
    await attack();
    const refused = {
      state: 'refused',
      reason: 'tampered',
      message: expect.stringMatching(/^审计记录被删改或丢失/),
    };
    expect(await ops.as('zhangsan').run('k8s.scale', input, shown, shown.code)).toEqual(refused);
    expect(await other.as('lisi').read('me', {})).toHaveProperty('电商');
    for (const replica of [ops, other]) {
      expect(await replica.as('zhangsan').post('k8s.scale/preview', input)).toEqual(refused);
      expect(await replica.as('zhangsan').read('units.list', {})).toContain('电商');
      await replica.checks.mysql?.();
      expect(await isBroken(replica)).toBe('1');
      expect(replica.logged.filter(({ problem }) => problem !== undefined)).toHaveLength(1);
    }
    expect(replicas()).toBe(3);
    const [row] = await harness.sql('select state from operations where id = ?', [shown.id]);
    expect(row).toEqual({ state: 'cancelled' });
  });

  test('cuts the end off finds out nothing after a restart but what the log still knows', async () => {
    const newest = await rowBack(0);
    await attacks[0]?.[1]();
    const restarted = await harness.startReplica();
    await restarted.sweep();
    expect(await restarted.as('zhangsan').change('k8s.scale', input)).toMatchObject({ state: 'done' });
    expect(replicas()).toBe(4);
    expect(links(ops).at(-1)).toBe(`${newest.seq}:${newest.mac}`);
    expect((await verifyAudit(db, AUDIT_KEY)).problems).toEqual([]);
    expect((await verifyAudit(db, AUDIT_KEY, newest)).problems).toHaveLength(1);
    await restarted.close();
  });

  test('cuts the end off ends the taking up of what another replica left, too', async () => {
    await ops.as('zhangsan').run('k8s.scale', input, shown, shown.code);
    await attacks[0]?.[1]();
    await ops.as('zhangsan').read('me', {});
    await harness.sql("update operations set state = 'started', lease_until = 1 where id = ?", [shown.id]);
    await harness.reseal(shown.id);
    await ops.sweep();
    const [row] = await harness.sql('select state, lease_until from operations where id = ?', [shown.id]);
    expect(row).toEqual({ state: 'started', lease_until: 1 });
    await harness.sql('delete from operations where id = ?', [shown.id]);
  });
});
