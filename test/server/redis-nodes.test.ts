import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { startBot } from '#test/bot.ts';
import { clusterRights, operate, rightsOf } from '#test/operate.ts';
import { startRedisCluster, startRedisUnderSentinel } from '#test/redis-cluster.ts';
import { isLong } from '#test/size.ts';
import { openConfirmations } from '../../src/bot/open-confirmations.ts';
import { createSessionStore } from '../../src/chat/session-store.ts';
import { checkWrites, createRedis, type Redis, type RedisNodes } from '../../src/server/redis.ts';
import { createPigeon } from '../channels/pigeon.ts';

let redis: Redis;
afterEach(() => redis.disconnect());

function open(url: string, nodes?: RedisNodes): void {
  redis = createRedis(url, { nodes, prefix: 'here:' });
  redis.on('error', () => {});
}

let messages = 0;
/** What a message of somebody comes to, or the error. */
const enter = (user: string): Promise<string> => {
  messages += 1;
  const message = { channel: createPigeon(), user, msgId: `${messages}`, trace: `${messages}` };
  const store = createSessionStore(redis);
  const end = { from: { session: null, version: '' }, session: null, reply: 'so' } as const;
  return store
    .enter(message)
    .then(async ({ kind }) => {
      await store.leave(message, end);
      return kind;
    })
    .catch(({ message: text }: Error) => text);
};
const users = Array.from({ length: 30 }, (_, n) => `user${n}`);
const all = () => Promise.all(users.map(enter));

test('neither a cluster nor a master that cannot be found keeps anybody waiting', async () => {
  const nodes = [{ host: '127.0.0.1', port: 1 }];
  const nowhere: readonly RedisNodes[] = [
    { kind: 'cluster', nodes },
    { kind: 'sentinel', nodes, username: '', password: '' },
  ];
  const results = nowhere.map((each) => {
    open('redis://127.0.0.1:1', each);
    const { disconnect } = redis;
    return Promise.all([enter('zhangsan'), checkWrites(redis).catch(String)]).finally(disconnect.bind(redis));
  });
  for (const [entered, ready] of await Promise.all(results)) {
    expect(entered).not.toBe('turn');
    expect(ready).toContain('Error');
  }
});

describe('a cluster', async () => {
  const { members, stop } = await startRedisCluster(3);
  afterAll(stop);
  const [first, second] = members;
  const url = `redis://127.0.0.1:${first?.port}`;
  const nodes: RedisNodes = { kind: 'cluster', nodes: [{ host: '127.0.0.1', port: second?.port ?? 0 }] };
  const keys = async () =>
    (await Promise.all(members.map(({ admin }) => admin.keys('*')))).map((names) =>
      names.filter((name) => !name.includes('ready')),
    );

  test('serves everybody, wherever their keys live, and what spans users', async () => {
    open(url, nodes);
    expect(new Set(await all())).toEqual(new Set(['turn']));
    const confirmations = openConfirmations(redis, '1000002');
    const confirmation = { id: 'a', user: 'zhangsan', trace: 'b' };
    await confirmations.note(confirmation, 1);
    expect(await confirmations.takeOverdue(2, 3)).toEqual([confirmation]);
    await confirmations.close(confirmation);
    await checkWrites(redis);
    const names = await keys();
    for (const own of names) expect(own.length).toBeGreaterThan(0);
    for (const name of names.flat()) expect(name).toMatch(/^here:keypad:/);
  });

  test('is never ready for a bot that takes it for a single server, whichever node that asks', async () => {
    for (const { port } of members) {
      open(`redis://127.0.0.1:${port}`);
      await expect(checkWrites(redis)).rejects.toThrow('MOVED');
      redis.disconnect();
    }
  });

  test.runIf(isLong)(
    'gets no command twice when its answer is late, since it may have been carried out',
    async () => {
      open(url, nodes);
      await all();
      const slow = "redis.call('INCR', KEYS[1]) for i = 1, 4e8 do end";
      await expect(redis.eval(slow, 1, 'counter')).rejects.toThrow();
      await expect.poll(() => redis.get('counter').catch(String)).toBe('1');
      // The node that stood still was taken for dead.
      await expect.poll(() => checkWrites(redis).catch(String)).toBeUndefined();
    },
  );

  test('is found from any node that is up', async () => {
    open('redis://127.0.0.1:1', nodes);
    expect(await enter('zhangsan')).toBe('turn');
  });

  test('is enough for a bot, with the account that deploy/README.md gives it', async () => {
    for (const { admin } of members) {
      await admin.call('ACL', 'SETUSER', 'keypad', ...rightsOf('keypad'), ...clusterRights());
    }
    const bot = await startBot({
      REDIS_URL: `redis://keypad:word@127.0.0.1:${first?.port}`,
      REDIS_NODES: `cluster://127.0.0.1:${second?.port}`,
    });
    await Promise.all(['zhangsan', 'lisi', 'wangwu'].map((user) => operate(bot, user)));
    await bot.bot.checks.redis();
    for (const { admin } of members) expect(await admin.call('ACL', 'LOG')).toEqual([]);
    await bot.stop();
  });
});

describe.runIf(isLong)('a cluster with a replica', async () => {
  const { members, stop } = isLong ? await startRedisCluster(3, 1) : { members: [], stop: async () => {} };
  afterAll(stop);

  test('goes on when a master is killed: until its replica is promoted its users hear so, and the others are served', async () => {
    open(`redis://127.0.0.1:${members[1]?.port}`, { kind: 'cluster', nodes: [] });
    await all();
    members[0]?.process.kill('SIGKILL');
    const kinds = await all();
    expect(kinds.filter((kind) => kind !== 'turn').length).toBeGreaterThan(0);
    await expect(checkWrites(redis)).rejects.toThrow();
    await expect.poll(async () => new Set(await all())).toEqual(new Set(['turn']));
    await checkWrites(redis);
  });
});

describe('Redis under a Sentinel', async () => {
  const { members, stop } = await startRedisUnderSentinel('keypad');
  afterAll(stop);
  const [master, replica, sentinel] = members;
  const nodes = (port = sentinel?.port ?? 0): RedisNodes => ({
    kind: 'sentinel',
    nodes: [
      { host: '127.0.0.1', port: 1 },
      { host: '127.0.0.1', port },
    ],
    username: '',
    password: '',
  });
  const portOfMaster = async () => Number((await redis.config('GET', 'port'))[1]);

  test('is found, also where a Sentinel is away', async () => {
    open('redis://keypad', nodes());
    expect(await portOfMaster()).toBe(master?.port);
    expect(await enter('zhangsan')).toBe('turn');
  });

  test('is followed to the server that is promoted, with all that it holds', async () => {
    open('redis://keypad', nodes());
    const store = createSessionStore(redis);
    const message = { channel: createPigeon(), user: 'lisi', msgId: 'before', trace: 'before' };
    await store.enter(message);
    await store.keepPromise(message);
    await redis.wait(1, 1000);
    const closed = once(redis, 'close');
    await sentinel?.admin.call('SENTINEL', 'FAILOVER', 'keypad');
    await closed;
    await expect.poll(() => enter('zhangsan')).toBe('turn');
    expect(await portOfMaster()).toBe(replica?.port);
    expect(await store.enter({ ...message, trace: 'again' })).toMatchObject({
      kind: 'repeat',
      isPromise: true,
    });
  });

  test('is followed with the rights at the Sentinels that deploy/README.md names', async () => {
    const words = /^`(resetchannels .+)`\.$/m.exec(readFileSync('deploy/README.md', 'utf8'))?.[1] ?? '';
    await sentinel?.admin.call('ACL', 'SETUSER', 'keypad', 'on', '>word', ...words.split(' '));
    await sentinel?.admin.call('ACL', 'LOG', 'RESET');
    open('redis://keypad', { ...nodes(), username: 'keypad', password: 'word' } as RedisNodes);
    expect(await enter('zhangsan')).toBe('turn');
    const clients = async () => `${await sentinel?.admin.call('CLIENT', 'LIST')}`;
    await expect.poll(clients).toMatch(/ sub=1 .* user=keypad /);
    expect(await sentinel?.admin.call('ACL', 'LOG')).toEqual([]);
  });

  test.runIf(isLong)('is followed when the master is killed', async () => {
    open('redis://keypad', nodes());
    const before = await portOfMaster();
    const killed = members.find(({ port }) => port === before);
    // A second failover is not made before the first is long over.
    await sentinel?.admin.call('SENTINEL', 'SET', 'keypad', 'failover-timeout', '1000');
    killed?.process.kill('SIGKILL');
    expect(await enter('zhangsan')).not.toBe('turn');
    await expect.poll(() => enter('zhangsan'), { timeout: 20_000 }).toBe('turn');
    expect(await portOfMaster()).not.toBe(before);
  });
});
