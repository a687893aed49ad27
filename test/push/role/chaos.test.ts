import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PrivateDatabase, startPrivateDatabase } from '#test/private-database.ts';
import { countOpen } from '#test/push-database.ts';
import { type PushRole, startPushRole } from '#test/push-role.ts';
import { isLong, size } from '#test/size.ts';
import { startWitness, type Witness } from '#test/wecom-witness.ts';
import type { PushMessage } from '../../../src/push/client.ts';
import { PushError } from '../../../src/push/client.ts';

const CALLERS = 20;
/** Each is one caller's, so that the order in which they are handed in is known. */
const RECEIVERS = size(60, 300);
/** In the long run more than the limit of a minute for each receiver, twice over. */
const DELIVERIES = size(1200, 20_000);
const REPLICAS = 3;
const KILL_MS = 2000;
const SERVER_KILL_MS = 4000;
/** Longer than a lease. */
const STOP_MS = 16_500;
const LIMIT = 30;
const priorities = ['normal', 'bulk', 'alert', 'normal'] as const;
const patiently = { timeout: size(60_000, 400_000), interval: 250 };

let database: PrivateDatabase;
let role: PushRole;
let witness: Witness;
beforeAll(async () => {
  database = await startPrivateDatabase();
  role = await startPushRole({
    mysqlUrl: database.url,
    count: REPLICAS,
    async between(url) {
      witness = await startWitness(url, 20);
      return witness.url;
    },
  });
});
afterAll(async () => {
  await role?.stop();
  await witness?.stop();
  await database?.stop();
});

interface HandedIn {
  readonly text: string;
  readonly priority: (typeof priorities)[number];
  readonly users: readonly string[];
}

/** What one caller hands in, one after the other: every fourth message is for several of its receivers. */
function messagesOf(caller: number): readonly HandedIn[] {
  const own = Array.from({ length: RECEIVERS / CALLERS }, (_, i) => `u${caller + i * CALLERS}`);
  const messages: HandedIn[] = [];
  for (let number = 0, from = 0; from < DELIVERIES / CALLERS; number += 1) {
    const count = Math.min(number % 4 === 3 ? own.length : 1, DELIVERIES / CALLERS - from);
    const users = Array.from({ length: count }, (_, i) => own[(from + i) % own.length] ?? '');
    const priority = priorities[(number + caller) % priorities.length] ?? 'normal';
    messages.push({ text: `${priority} ${caller} ${number}`, priority, users });
    from += count;
  }
  return messages;
}

/** Which replicas are killed or stopped at this moment. */
const away = new Set<number>();

/** Hands a message in until a replica has accepted it, as docs/push.md says; asks those that are up, as a load balancer does. */
async function hand({ text, priority, users }: HandedIn, first: number): Promise<void> {
  const message: PushMessage = { to: { users: [...users] }, text, priority, idempotencyKey: text };
  for (let turn = first; ; turn += 1) {
    if (away.has(turn % REPLICAS)) {
      await sleep(20);
      continue;
    }
    try {
      await role.replicas[turn % REPLICAS]?.client.push(message);
      return;
    } catch (error) {
      if (!(error instanceof PushError) || (error.status !== 0 && error.status < 500)) throw error;
    }
  }
}

/** Starts it again, as often as that takes: the server may be away at this moment, and then the process ends. */
async function restart(number: number): Promise<void> {
  const isUp = () =>
    role.replicas[number]?.start().then(
      () => true,
      () => false,
    );
  while (!(await isUp())) await sleep(100);
  away.delete(number);
}

/** Kills replicas, but the last one that is up, and the server until `isOver`; stops one replica for longer than a lease. */
async function trouble(
  isOver: () => boolean,
): Promise<{ readonly kills: number; readonly serverKills: number }> {
  let [kills, serverKills, isStopOver] = [0, 0, false];
  const starting: Promise<void>[] = [];
  const goesOn = () => !isStopOver || !isOver();
  const killReplicas = async (): Promise<void> => {
    for (let number = 0; goesOn(); number += 1) {
      await sleep(KILL_MS);
      const up = [...role.replicas.keys()].filter((each) => !away.has(each));
      const victim = up[number % up.length];
      if (victim === undefined || up.length < 2) continue;
      away.add(victim);
      await role.replicas[victim]?.kill();
      kills += 1;
      starting.push(restart(victim));
    }
  };
  const killServer = async (): Promise<void> => {
    while (goesOn()) {
      await sleep(SERVER_KILL_MS);
      await database.kill();
      await database.start();
      serverKills += 1;
    }
  };
  const stopOne = async (): Promise<void> => {
    await sleep(KILL_MS / 2);
    const resume = role.replicas[0]?.pause();
    away.add(0);
    await sleep(STOP_MS);
    await resume?.();
    away.delete(0);
    isStopOver = true;
  };
  await Promise.all([killReplicas(), killServer(), stopOne()]);
  await Promise.all(starting);
  return { kills, serverKills };
}

/** What each receiver was sent in each lane, in the order of the calls. */
function byLine() {
  const seen = witness.calls.flatMap((call) =>
    call.users.map((user) => ({ ...call, line: `${call.text.split(' ')[0]} ${user}` })),
  );
  return Map.groupBy(seen, ({ line }) => line);
}

test(
  `${DELIVERIES} deliveries while replicas and the server are killed, and one stands still: each arrives, in order`,
  async () => {
    const began = Date.now();
    const messages = Array.from({ length: CALLERS }, (_, caller) => messagesOf(caller));
    const handIn = async (mine: readonly HandedIn[], caller: number): Promise<void> => {
      for (const [number, message] of mine.entries()) {
        await hand(message, caller + number);
        await sleep(100);
      }
    };
    const seen = () => witness.calls.reduce((sum, { users }) => sum + users.length, 0);
    const [found] = await Promise.all([
      trouble(() => !isLong || seen() > 0.9 * DELIVERIES),
      ...messages.map(handIn),
    ]);
    const quiet = Date.now();
    await expect.poll(() => countOpen(role.db), patiently).toBe(0);
    const ended = Date.now();

    const rows = await role.db
      .selectFrom('deliveries')
      .innerJoin('messages', 'messages.id', 'deliveries.message_id')
      .select(['deliveries.id', 'receiver', 'idempotency_key as text', 'state', 'maybe_twice'])
      .execute();
    expect(rows.length).toBe(DELIVERIES);
    expect(rows.filter(({ state }) => state !== 'sent')).toEqual([]);

    const lines = byLine();
    const wanted = Map.groupBy(
      messages.flat().flatMap((message) => message.users.map((user) => ({ ...message, user }))),
      ({ priority, user }) => `${priority} ${user}`,
    );
    expect(lines.size).toBe(wanted.size);
    for (const [line, mine] of wanted) {
      const calls = lines.get(line) ?? [];
      const texts = calls.map(({ text }) => text);
      // A repeat comes before what follows it.
      expect(texts.filter((text, i) => text !== texts[i - 1])).toEqual(mine.map(({ text }) => text));
      const inTime = calls.toSorted((one, other) => one.from - other.from);
      expect(inTime.filter(({ from }, i) => inTime.slice(0, i).some(({ to }) => from < to))).toEqual([]);
    }

    const times = new Map<string, number>();
    for (const { text, users } of witness.calls)
      for (const user of users)
        times.set(`${text} user:${user}`, (times.get(`${text} user:${user}`) ?? 0) + 1);
    const attempts = await role.db
      .selectFrom('attempts')
      .select(['delivery_id', (is) => is.fn.countAll<number>().as('count')])
      .where('errcode', '=', 'lost')
      .groupBy('delivery_id')
      .execute();
    const lost = new Map(attempts.map(({ delivery_id, count }) => [Number(delivery_id), Number(count)]));
    const repeats = rows.filter(({ text, receiver }) => (times.get(`${text} ${receiver}`) ?? 0) > 1);
    // Only of calls that were under way when their sender ended or stood still, and flagged.
    expect(
      repeats.filter(
        ({ id, text, receiver, maybe_twice }) =>
          maybe_twice !== 1 || (times.get(`${text} ${receiver}`) ?? 0) > 1 + (lost.get(id) ?? 0),
      ),
    ).toEqual([]);
    const flagged = rows.filter(({ maybe_twice }) => maybe_twice === 1);
    expect(flagged.filter(({ id }) => !lost.has(id))).toEqual([]);

    const { overLimit, mostForOne } = role.wecom.arrivals.totals();
    expect(overLimit).toBe(0);
    if (isLong) expect(mostForOne).toBeGreaterThan(2 * LIMIT);
    const figures = {
      ...found,
      repeats: repeats.length,
      needlesslyFlagged: flagged.length - repeats.length,
      secondsOfTrouble: Math.round((quiet - began) / 1000),
      seconds: Math.round((ended - began) / 1000),
    };
    if (isLong) process.stdout.write(`${JSON.stringify(figures)}\n`);
  },
  size(120_000, 900_000),
);
