import { beforeEach, describe, expect, test } from 'vitest';
import type { Lane, Receiver } from '../../../src/push/content/message.ts';
import { dayOf, windowsOf } from '../../../src/push/queue/limits.ts';
import { WeComError } from '../../../src/wecom/api/wecom-error.ts';
import { type DeliveryReplica, eventually, textTo, useDeliveryHarness } from './delivery-harness.ts';

const harness = useDeliveryHarness();
/** Noon in Shanghai. */
const NOON = Date.UTC(2026, 10, 20, 4);
let clock = NOON;
beforeEach(() => {
  clock = NOON;
});
const parts = { now: () => clock, windowsOf: (receiver: Receiver) => windowsOf(receiver) };

/** Calls that have ended `ago` ms before the clock. */
async function calls(count: number, target: string, ago = 1000): Promise<void> {
  const row = { delivery_id: 0, ms: 1, errcode: '0', errmsg: 'ok', msgid: null, part: 0, words: null };
  const at = clock - ago;
  await harness.db
    .insertInto('attempts')
    .values(Array.from({ length: count }, () => ({ ...row, at, target, ended_at: at })))
    .execute();
}

const to = (receiver: Receiver, text: string, lane: Lane = 'normal') =>
  textTo([], text, { lane, receivers: [{ receiver }] });

/** When the line is looked at again, ms after the clock. */
const putOff = async (line: string) => {
  const row = await harness.db
    .selectFrom('delivery_lines')
    .select('due_at')
    .where('line', '=', line)
    .executeTakeFirstOrThrow();
  return row.due_at - clock;
};

/** Sends something else, so that everything that was due before has been looked at. */
const pass = (replica: DeliveryReplica, lane: Lane = 'normal') =>
  harness.send(replica, to('chat:other', 'pass', lane));

test.each([
  ['user:anna', 30, 59_500],
  ['robot:ops', 20, 59_500],
] as const)('%s gets %s in a minute, and waits for the next place', async (receiver, most, after) => {
  const replica = harness.start(parts);
  await calls(most - 1, receiver);
  await harness.send(replica, to(receiver, 'the last'));
  await replica.accept(to(receiver, 'too many'));
  await pass(replica);
  await eventually(() => putOff(`normal:${receiver}`)).toBe(after);
  expect(harness.weCom.sent.filter(({ message }) => message.body.content === 'too many')).toEqual([]);
  clock += after;
  await eventually(() => harness.weCom.sent.at(-1)?.message.body.content).toBe('too many');
});

test('a member gets 1000 in an hour', async () => {
  const replica = harness.start(parts);
  await calls(999, 'user:anna', 3_000_000);
  await harness.send(replica, to('user:anna', 'the last'));
  const { id } = await replica.accept(to('user:anna', 'too many'));
  await pass(replica);
  await eventually(() => putOff('normal:user:anna')).toBe(600_500);
  clock += 600_500;
  expect(await replica.finished(id, 10_000)).toBe(true);
});

test('a call that never reached WeCom takes no place', async () => {
  const replica = harness.start({ ...parts, random: () => 0 });
  await calls(29, 'user:anna');
  let failures = 1;
  harness.weCom.script = () => {
    failures -= 1;
    if (failures >= 0) throw new WeComError('message/send', 'unsent', 'refused');
    return undefined;
  };
  const { id } = await replica.accept(to('user:anna', 'hello'));
  await eventually(async () => (await harness.attempts(id)).length).toBe(1);
  clock += 1000;
  expect(await replica.finished(id, 10_000)).toBe(true);
});

test('everybody, a department, a tag and a group have no limit of a minute that we can know', async () => {
  const replica = harness.start(parts);
  for (const receiver of ['user:@all', 'party:2', 'tag:7', 'chat:c'] as const) {
    await calls(100, receiver);
    await harness.send(replica, to(receiver, 'hello'));
  }
});

test('limits are those of an account', async () => {
  const replica = harness.start(parts);
  await calls(30, 'shop/user:anna');
  await harness.send(replica, to('user:anna', 'hello'));
});

describe('the lanes of a receiver', () => {
  test('share its places: the alert has the next one, then normal, then bulk', async () => {
    const replica = harness.open(parts);
    await calls(30, 'user:anna');
    await replica.accept(to('user:anna', 'bulk', 'bulk'));
    const normal = await replica.accept(to('user:anna', 'normal', 'normal'));
    await replica.accept(to('user:anna', 'alert', 'alert'));
    replica.start();
    await eventually(() => putOff('alert:user:anna')).toBe(59_500);
    await eventually(() => putOff('bulk:user:anna')).toBe(59_500);
    // Now one place becomes free, and the next two a second and two later.
    await harness.db.deleteFrom('attempts').where('target', '=', 'user:anna').execute();
    await calls(1, 'user:anna', 1000);
    await calls(1, 'user:anna', 0);
    await calls(28, 'user:anna', -1000);
    clock += 59_500;
    await eventually(() => harness.weCom.textsTo('user:anna')).toEqual(['alert']);
    await pass(replica, 'bulk');
    expect(harness.weCom.textsTo('user:anna')).toEqual(['alert']);
    clock += 1000;
    await eventually(() => harness.weCom.textsTo('user:anna')).toEqual(['alert', 'normal']);
    // While it is recorded somebody has its line, and who looks then would wait for a moment that this clock never comes to.
    expect(await replica.finished(normal.id, 10_000)).toBe(true);
    clock += 1000;
    await eventually(() => harness.weCom.textsTo('user:anna')).toEqual(['alert', 'normal', 'bulk']);
  });

  test('close to a limit go after an alert that looks again in a moment, also when there are places for both', async () => {
    const replica = harness.open(parts);
    await calls(28, 'user:anna');
    await replica.accept(to('user:anna', 'bulk', 'bulk'));
    const alert = await replica.accept(to('user:anna', 'alert', 'alert'));
    // It was looked at while somebody had the other line.
    const soon = { due_at: clock + 30 };
    await harness.db.updateTable('delivery_lines').set(soon).where('line', '=', 'alert:user:anna').execute();
    replica.start();
    await eventually(() => putOff('bulk:user:anna')).toBe(50);
    expect(harness.weCom.textsTo('user:anna')).toEqual([]);
    clock += 50;
    expect(await replica.finished(alert.id, 10_000)).toBe(true);
    // It may have looked while the alert was still to go.
    clock += 50;
    await eventually(() => harness.weCom.textsTo('user:anna').toSorted()).toEqual(['alert', 'bulk']);
  });

  test('close to a limit wait for a line that somebody has at this moment: it may be taking the last place', async () => {
    const replica = harness.open(parts);
    await calls(29, 'user:anna');
    await replica.accept(to('user:anna', 'bulk', 'bulk'));
    const { id } = await replica.accept(to('user:anna', 'normal'));
    const bulk = harness.db.selectFrom('delivery_lines').select('line').where('line', '=', 'bulk:user:anna');
    await harness.db.transaction().execute(async (tx) => {
      await tx.executeQuery(bulk.forUpdate());
      replica.start();
      await eventually(() => putOff('normal:user:anna')).toBe(50);
    });
    expect(harness.weCom.textsTo('user:anna')).toEqual([]);
    clock += 50;
    expect(await replica.finished(id, 10_000)).toBe(true);
    expect(harness.weCom.textsTo('user:anna')).toEqual(['normal']);
  });

  test('count each other while a call is under way', async () => {
    const replica = harness.start(parts);
    await calls(29, 'user:anna');
    let free = (): void => {};
    harness.weCom.script = ({ to: [receiver] }) =>
      receiver === 'user:anna' ? new Promise((resolve) => (free = () => resolve(undefined))) : undefined;
    await replica.accept(to('user:anna', 'under way', 'bulk'));
    await eventually(() => harness.weCom.textsTo('user:anna')).toEqual(['under way']);
    await replica.accept(to('user:anna', 'alarm', 'alert'));
    await pass(replica, 'alert');
    await eventually(() => putOff('alert:user:anna')).toBe(59_500);
    expect(harness.weCom.textsTo('user:anna')).toEqual(['under way']);
    free();
  });

  test('do not wait for each other while there are places', async () => {
    const replica = harness.start(parts);
    let free = (): void => {};
    harness.weCom.script = ({ message }) =>
      message.body.content === 'hangs'
        ? new Promise((resolve) => (free = () => resolve(undefined)))
        : undefined;
    await replica.accept(to('user:anna', 'hangs', 'bulk'));
    await eventually(() => harness.weCom.textsTo('user:anna')).toEqual(['hangs']);
    await harness.send(replica, to('user:anna', 'alarm', 'alert'));
    free();
  });
});

test('three replicas and three lanes: a receiver is never over its limit, and nothing is lost', async () => {
  const window = { most: 5, ms: 400 } as const;
  const replicas = [1, 2, 3].map(() => harness.start({ windowsOf: () => [window] }));
  const [first] = replicas;
  const ids: string[] = [];
  const texts: string[] = [];
  for (let i = 0; i < 30; i += 1) {
    const lane = (['alert', 'normal', 'bulk'] as const)[i % 3] ?? 'bulk';
    const replica = replicas[i % 2] ?? replicas[0];
    const accepted = await replica?.accept(textTo('anna', `${lane} ${i}`, { lane }));
    ids.push(accepted?.id ?? '');
    texts.push(`${lane} ${i}`);
  }
  for (const id of ids) expect(await first?.finished(id, 20_000)).toBe(true);
  expect(harness.weCom.textsTo('user:anna').toSorted()).toEqual(texts.toSorted());
  const all = await harness.db.selectFrom('attempts').select(['id', 'at', 'ended_at']).execute();
  for (const { id, at } of all) {
    const before = all.filter((each) => each.id !== id && each.at <= at);
    // A call takes a place from its beginning until a window after its end; clocks tell whole ms.
    const counted = before.filter(({ ended_at }) => (ended_at ?? 0) + window.ms > at + 2);
    expect(counted.length).toBeLessThan(window.most);
  }
  for (const lane of ['alert', 'normal', 'bulk']) {
    const of = (all: readonly unknown[]) => all.filter((text) => `${text}`.startsWith(lane));
    expect(of(harness.weCom.textsTo('user:anna'))).toEqual(of(texts));
  }
}, 40_000);

describe('the day', () => {
  const MIDNIGHT = Date.UTC(2026, 10, 20, 16);
  const used = async (count: number) =>
    harness.db
      .insertInto('sent_days')
      .values({ account: 'default', day: dayOf(clock).number, used: count })
      .execute();
  const day = async () =>
    (await harness.db.selectFrom('sent_days').selectAll().orderBy('day').execute()).map((row) => row.used);

  test('holds account limit × 200 receivers, and what is over waits for midnight in Shanghai', async () => {
    const replica = harness.start({ ...parts, accountLimit: 1 });
    await used(197);
    const id = await harness.send(replica, textTo(['anna', 'bert'], 'hello'));
    expect(await harness.deliveries(id)).toMatchObject([{ state: 'sent' }, { state: 'sent' }]);
    const over = await replica.accept(textTo(['carl', 'dora', 'emil'], 'hello'));
    await eventually(() => day()).toEqual([200]);
    await pass(replica);
    const states = async () => (await harness.deliveries(over.id)).map(({ state }) => state).toSorted();
    await eventually(states).toEqual(['queued', 'queued', 'sent']);
    await harness.send(replica, to('robot:ops', 'robots have no day'));
    clock = MIDNIGHT;
    await pass(replica);
    expect(await states()).toEqual(['queued', 'queued', 'sent']);
    clock = MIDNIGHT + 60_000;
    expect(await replica.finished(over.id, 10_000)).toBe(true);
    expect(await day()).toEqual([200, 2]);
  });

  test('does not count what WeCom never got', async () => {
    const replica = harness.start({ ...parts, accountLimit: 1 });
    harness.weCom.script = () => {
      throw new WeComError('message/send', 'unsent', 'refused');
    };
    const { id } = await replica.accept(textTo(['anna', 'bert'], 'hello'));
    await eventually(async () => (await harness.attempts(id)).length).toBe(2);
    await eventually(day).toEqual([0]);
  });

  test('counts a call over midnight in both days', async () => {
    clock = MIDNIGHT - 1000;
    const replica = harness.start(parts);
    harness.weCom.script = () => {
      clock = MIDNIGHT + 1000;
      return undefined;
    };
    await harness.send(replica, textTo('anna', 'hello'));
    expect(await day()).toEqual([1, 1]);
  });

  test('is shared by replicas that claim at the same moment', async () => {
    const [one, other] = [
      harness.open({ ...parts, accountLimit: 1 }),
      harness.open({ ...parts, accountLimit: 1 }),
    ];
    await used(150);
    for (let i = 0; i < 80; i += 1) await one.accept(textTo(`u${i}`, 'hello'));
    one.start();
    other.start();
    await eventually(() => harness.weCom.sent.length).toBe(50);
    await pass(one);
    expect(await day()).toEqual([200]);
    expect(harness.weCom.sent.filter(({ to: [receiver] }) => receiver?.startsWith('user:'))).toHaveLength(50);
  });
});
