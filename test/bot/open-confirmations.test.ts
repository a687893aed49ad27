import { randomUUID } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { startRedis } from '#test/redis.ts';
import { createContexts } from '../../src/bot/menu-context.ts';
import { openConfirmations } from '../../src/bot/open-confirmations.ts';
import type { OpsClient } from '../../src/bot/ops-client.ts';
import { createRedis } from '../../src/server/redis.ts';
import { createPigeon } from '../channels/pigeon.ts';

const server = await startRedis();
const replicas = [createRedis(server.url), createRedis(server.url)].map((redis) => ({
  redis,
  open: openConfirmations(redis, '1000002'),
}));
const [{ redis, open } = never(), { open: other } = never()] = replicas;
afterAll(async () => {
  for (const replica of replicas) replica.redis.disconnect();
  await server.stop();
});

const DUE = 1_767_225_600_000;
const confirmed = () => ({ id: randomUUID(), user: 'zhangsan', trace: randomUUID() });

test('an overdue confirmation goes to one replica, and again only when that had its time', async () => {
  const confirmation = confirmed();
  await open.note(confirmation, DUE);
  expect(await open.takeOverdue(DUE - 1, DUE + 30_000)).toEqual([]);
  const taken = await Promise.all([open, other].map((replica) => replica.takeOverdue(DUE, DUE + 30_000)));
  expect(taken.flat()).toEqual([confirmation]);
  expect(await other.takeOverdue(DUE + 29_999, DUE + 60_000)).toEqual([]);
  expect(await other.takeOverdue(DUE + 30_000, DUE + 60_000)).toEqual([confirmation]);
  await other.close(confirmation);
  expect(await open.takeOverdue(DUE + 90_000, DUE + 120_000)).toEqual([]);
});

test('what is noted again is overdue at the later word, and nothing is kept for ever', async () => {
  const confirmation = confirmed();
  await open.note(confirmation, DUE + 15_000);
  await open.note(confirmation, DUE);
  expect(await open.takeOverdue(DUE, DUE + 1)).toEqual([confirmation]);
  for (const key of await redis.keys('*')) expect(await redis.ttl(key)).toBeGreaterThan(0);
  await open.close(confirmation);
});

test('a confirmation that cannot be noted is not marked either, and does not go to the platform', async () => {
  const calls: string[] = [];
  const post: OpsClient['post'] = async (_, operation) => {
    calls.push(operation);
    return { state: 'done', text: 'done' };
  };
  const refuse = () => Promise.reject(new Error('only changes here'));
  const open = createContexts({
    client: { post, ask: refuse, read: refuse, catalogue: refuse, report: async () => {} },
    outputOf: () => undefined,
    identity: {
      callerOf: async ({ user, trace }) => ({ user, departments: [], trace }),
      rightsOf: async () => new Map(),
    },
    confirmations: {
      begin: () => Promise.reject(new Error('Redis is away')),
      answered: async () => {},
      lost: async () => {},
    },
    store: {
      async markConfirmed() {
        calls.push('mark');
        return true;
      },
    },
    now: () => DUE,
  });
  const context = await open({
    channel: createPigeon(),
    user: 'zhangsan',
    msgId: '7',
    createdAt: DUE / 1000,
    trace: 'E1',
  });
  const preview = { id: randomUUID(), hash: 'h', lines: ['副本 2 → 3'], expiresAt: DUE + 1 };
  await expect(context.run('k8s.scale', {}, preview, undefined)).rejects.toThrow('没有执行任何操作');
  expect(calls).toEqual([]);
});

function never(): never {
  throw new Error('two replicas were made');
}
