import { afterAll, beforeAll, expect, test } from 'vitest';
import { countOpen } from '#test/push-database.ts';
import type { Replica } from '#test/push-replica.ts';
import { type PushRole, startPushRole } from '#test/push-role.ts';
import { size } from '#test/size.ts';
import type { PushMessage } from '../../../src/push/client.ts';
import { PushError } from '../../../src/push/client.ts';

const CALLERS = 20;
/** Each is one caller's, so that the order in which they are handed in is known. */
const RECEIVERS = 500;
const STOPPED = size(500, 2000);
const patiently = { timeout: 90_000, interval: 250 };

let role: PushRole;
beforeAll(async () => {
  role = await startPushRole();
  // So that there is always something in flight.
  role.wecom.setFaults([{ api: 'message/send', delayMs: 20, times: 'always' }]);
});
afterAll(() => role.stop());

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const replica = (number: number): Replica => (number % 2 === 0 ? role.first : role.second);

/** Hands a message in at one replica or the other until one has taken it down, as docs/push.md says; some wait for WeCom. */
async function hand(number: number, name: string): Promise<void> {
  const text = `${name} ${number}`;
  const message: PushMessage = { to: { users: [`u${number % RECEIVERS}`] }, text, idempotencyKey: text };
  const isSend = Math.floor(number / CALLERS) % 25 === 0;
  for (let turn = number; ; turn += 1) {
    try {
      const { client } = replica(turn);
      await (isSend ? client.send(message) : client.push(message));
      return;
    } catch (error) {
      if (!(error instanceof PushError) || (error.status !== 0 && error.status < 500)) throw error;
      await pause(20);
    }
  }
}

async function handAll(count: number, name: string): Promise<void> {
  const caller = async (first: number): Promise<void> => {
    for (let number = first; number < count; number += CALLERS) await hand(number, name);
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, first) => caller(first)));
}

/** What became of them, by text: the rows in the order in which they were written down, and how often each reached WeCom. */
async function outcome(name: string) {
  await expect.poll(() => countOpen(role.db), patiently).toBe(0);
  const rows = await role.db
    .selectFrom('deliveries')
    .innerJoin('messages', 'messages.id', 'deliveries.message_id')
    .select(['deliveries.id', 'receiver', 'idempotency_key as text', 'state', 'maybe_twice'])
    .where('idempotency_key', 'like', `${name} %`)
    .orderBy('deliveries.id')
    .execute();
  const arrived = role.wecom.arrivals.list().filter(({ text }) => text.startsWith(`${name} `));
  return { rows, arrived, times: Map.groupBy(arrived, ({ text }) => text) };
}

/** A repeat comes before what follows it, so without repeats each receiver has what the rows say, in their order. */
function expectOrder({ rows, arrived }: Awaited<ReturnType<typeof outcome>>): void {
  const byReceiver = Map.groupBy(arrived, ({ receiver }) => `user:${receiver}`);
  for (const [receiver, mine] of Map.groupBy(rows, (row) => row.receiver)) {
    const texts = (byReceiver.get(receiver) ?? []).map(({ text }) => text);
    expect(texts.filter((text, i) => text !== texts[i - 1])).toEqual(mine.map(({ text }) => text));
  }
}

test('each replica is stopped with SIGTERM and started again while callers go on: nothing is lost, nothing is twice', async () => {
  const count = STOPPED;
  const rounds = size(1, 2);
  const restarted = Array.from({ length: rounds }, () => [role.first, role.second]).flat();
  const codes: (number | null)[] = [];
  const restart = async (): Promise<void> => {
    for (const each of restarted) {
      codes.push(await each.end());
      await each.start();
    }
  };
  await Promise.all([restart(), handAll(count, 'term')]);
  const found = await outcome('term');
  expect(codes).toEqual(restarted.map(() => 0));
  expect([found.rows.length, found.times.size, found.arrived.length]).toEqual([count, count, count]);
  expect(found.rows.filter(({ state, maybe_twice }) => state !== 'sent' || maybe_twice)).toEqual([]);
  expectOrder(found);
}, 150_000);
