import { afterAll, beforeAll, describe, test, vi } from 'vitest';
import { type PushRole, startPushRole } from '#test/push-role.ts';
import { isLong } from '#test/size.ts';
import type { PushMessage } from '../../../src/push/client.ts';

/**
 * WeCom counts by the minute, so that this file takes one; everything that has to wait for it waits at the same time. In
 * every run test/push/delivery/limits-claim.test.ts and shared.test.ts hold the limits with a shorter minute.
 */
const aMinute = { timeout: 110_000, interval: 100 };
const robots = { 'busy-room': 'busy-room-key', 'ranked-room': 'ranked-room-key' };

type To = PushMessage['to'];
let role: PushRole;
beforeAll(async () => {
  if (!isLong) return;
  role = await startPushRole({ wecom: { robots } });
});
afterAll(() => role?.stop());

const texts = (receiver: string): readonly string[] => role.wecom.arrived(receiver).map(({ text }) => text);
const countOf = (receiver: string) => () => role.wecom.arrived(receiver).length;
const replica = (number: number) => (number % 2 === 0 ? role.first : role.second);
const push = (number: number, to: To, more: Partial<PushMessage> = {}) =>
  replica(number).client.push({ to, text: `${number}`, ...more });
/** Hands them in at the replicas in turns; resolves to their texts. */
async function pushAll(count: number, to: To): Promise<readonly string[]> {
  const numbers = Array.from({ length: count }, (_, number) => number);
  // One after the other: of two that are under way at the same time neither is the first to come.
  for (const number of numbers) await push(number, to);
  return numbers.map(String);
}

describe
  .runIf(isLong)
  .concurrent('within a real minute, which only npm run test:long waits for, two replicas', () => {
    test('send one member 30 of 40 messages, and the others after it, in order; WeCom drops none', async ({
      expect,
    }) => {
      const handedIn = await pushAll(40, { users: ['busy'] });
      await expect.poll(countOf('busy'), aMinute).toBe(30);
      await expect.poll(countOf('busy'), aMinute).toBe(40);
      expect(role.wecom.maxInWindow('busy', 60)).toBe(30);
      expect(role.wecom.arrived('busy').filter(({ dropped }) => dropped)).toEqual([]);
      expect(texts('busy')).toEqual(handedIn);
    }, 120_000);

    test('send through one robot 20 of 25 messages, and the others after it, in order; WeCom refuses none', async ({
      expect,
    }) => {
      const handedIn = await pushAll(25, { robots: ['busy-room'] });
      await expect.poll(countOf('robot:busy-room'), aMinute).toBe(20);
      await expect.poll(countOf('robot:busy-room'), aMinute).toBe(25);
      expect(role.wecom.maxInWindow('robot:busy-room', 60)).toBe(20);
      expect(role.wecom.answers('webhook/send').filter((errcode) => errcode !== 0)).toEqual([]);
      expect(texts('robot:busy-room')).toEqual(handedIn);
    }, 120_000);

    test('keep the next turn for an alert, whatever came before it, and each lane in order', async ({
      expect,
    }) => {
      const to = { robots: ['ranked-room'] };
      await pushAll(20, to);
      await expect.poll(countOf('robot:ranked-room'), aMinute).toBe(20);
      for (const [number, priority] of (['bulk', 'normal', 'alert'] as const).entries()) {
        await push(number, to, { text: `${priority} 1`, priority });
        await push(number, to, { text: `${priority} 2`, priority });
      }
      await expect.poll(countOf('robot:ranked-room'), aMinute).toBe(26);
      // With the turns of 20 free again, it is the first one that matters.
      const after = texts('robot:ranked-room').slice(20);
      expect(after[0]).toBe('alert 1');
      for (const priority of ['bulk', 'normal', 'alert']) {
        const mine = after.filter((text) => text.startsWith(priority));
        expect(mine).toEqual([`${priority} 1`, `${priority} 2`]);
      }
    }, 120_000);

    test('ask WeCom nothing for a minute after it has blocked the app (45009), and then send in order', async ({
      expect,
    }) => {
      // What the limit of a member lets through goes first.
      await expect.poll(countOf('busy'), aMinute).toBe(30);
      role.wecom.setFaults([{ api: 'message/send', errcode: 45009, receiver: 'blocked' }]);
      const to = { users: ['blocked'] };
      const { id } = await push(0, to);
      const attempt = () =>
        replica(0)
          .ask(`GET /v1/messages/${id}`)
          .then(({ body }) => body.receivers[0]?.attempts[0]);
      await vi.waitFor(async () => expect(await attempt()).toMatchObject({ errcode: 45009 }), aMinute);
      await push(1, to);
      await push(2, to);
      await push(3, { users: ['somebody'] });
      await expect.poll(countOf('blocked'), aMinute).toBe(3);
      await expect.poll(countOf('somebody'), aMinute).toBe(1);
      expect(texts('blocked')).toEqual(['0', '1', '2']);
      const blockedAt = Date.parse((await attempt())?.at ?? '');
      const request = [
        ...role.wecom.arrived('busy'),
        ...role.wecom.arrived('blocked'),
        ...role.wecom.arrived('somebody'),
      ];
      expect(request.filter(({ time }) => time > blockedAt && time < blockedAt + 60_000)).toEqual([]);
      expect(role.wecom.answers('message/send').filter((errcode) => errcode !== 0)).toEqual([45009]);
      expect(await replica(1).client.message(id)).toMatchObject({ state: 'sent' });
    }, 120_000);
  });
