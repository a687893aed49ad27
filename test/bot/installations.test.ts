import { randomUUID } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { previewOf, startBot, type TestBot, web } from '#test/bot.ts';
import { operate, rightsOf } from '#test/operate.ts';
import { startRedis } from '#test/redis.ts';
import { holdNames } from '../../src/bot/installation.ts';
import { openConfirmations } from '../../src/bot/open-confirmations.ts';
import { openCallbackSources } from '../../src/channels/wecom-callback/sources.ts';
import { createRedis } from '../../src/server/redis.ts';

/** The answer of a confirmation gets lost, so that it is looked for later. */
async function loseAnswer({ wecom, platform }: TestBot): Promise<void> {
  platform.script = ({ operation }) => {
    if (operation === 'k8s.deployments.list') return { state: 'done', output: [web] };
    if (operation === 'k8s.scale/preview') return previewOf(randomUUID());
    return operation === 'k8s.scale' || operation === 'operation.settle' ? 'hang' : undefined;
  };
  await wecom.say('wangwu', 'hi');
  await wecom.say('wangwu', '1-1-2-1-3');
  await wecom.say('wangwu', '1');
}

/** What became of which confirmations was asked for. */
const settled = ({ platform }: TestBot) =>
  platform.calls
    .filter(({ operation }) => operation === 'operation.settle')
    .map(({ body }) => (body as { id: string }).id);

describe('two installations on one Redis', async () => {
  const server = await startRedis();
  const env = { REDIS_URL: server.url };
  const here = await startBot(env);
  const there = await startBot({ ...env, INSTALLATION: 'staging' });
  afterAll(async () => {
    await Promise.all([here.stop(), there.stop()]);
    await server.stop();
  });

  test('never meet, with the same app and the same people: neither in sessions, nor in messages', async () => {
    await here.wecom.say('lisi', 'hi');
    expect((await here.wecom.say('lisi', '1', { msgId: '7' })).reply).toContain('Kubernetes');
    expect((await there.wecom.say('lisi', '1', { msgId: '7' })).reply).toContain('请选择事业部');
    expect((await here.wecom.say('lisi', '0')).reply).toContain('请选择事业部');
  });

  test('have the names that sessions always had, where none is given, so that an update loses nobody', async () => {
    const redis = createRedis(server.url);
    await here.wecom.say('zhangsan', 'hi');
    await there.wecom.say('zhangsan', 'hi');
    const names = await redis.keys('*:path');
    expect(names).toContain('keypad:{1000002:zhangsan}:path');
    expect(names).toContain('staging:keypad:{1000002:zhangsan}:path');
    redis.disconnect();
  });

  test('and of another enterprise, whose first app has the same agent id, only one gets the names', async () => {
    const redis = createRedis(server.url);
    const hold = (corpId: string, scope = '1000002') =>
      holdNames({ redis, scope, corpId, onError: (error) => expect.unreachable(`${error}`) }).then(
        ({ stop }) => stop(),
      );
    await expect(hold('ww9')).rejects.toThrow(
      /^INSTALLATION: .* enterprise ww0123456789abcdef .* agent id 1000002/,
    );
    await hold('ww0123456789abcdef');
    await hold('ww9', '1000003');
    expect(await redis.ttl('keypad:{1000002}:corp')).toBeGreaterThan(0);
    redis.disconnect();
  });

  test('what Redis cannot say keeps no bot from starting', async () => {
    const redis = createRedis('redis://127.0.0.1:1');
    redis.on('error', () => {});
    const errors: unknown[] = [];
    const { stop } = await holdNames({
      redis,
      scope: '1',
      corpId: 'ww9',
      onError: (error) => errors.push(error),
    });
    expect(errors).toHaveLength(1);
    redis.disconnect();
    await stop();
  });

  test('never meet in what is looked after for those who confirmed something', async () => {
    const noted = ['', 'staging:'].map(async (prefix) => {
      const redis = createRedis(server.url, { prefix });
      const id = randomUUID();
      await openConfirmations(redis, '1000002').note({ id, user: 'wangwu', trace: id }, 1);
      redis.disconnect();
      return id;
    });
    const [mine, theirs] = await Promise.all(noted);
    // Each looks at once.
    await Promise.all([loseAnswer(here), loseAnswer(there)]);
    await expect.poll(() => settled(here)).toContain(mine);
    await expect.poll(() => settled(there)).toContain(theirs);
    expect(settled(here)).not.toContain(theirs);
    expect(settled(there)).not.toContain(mine);
  });
});

const forbidden: readonly (readonly [string, ...string[]])[] = [
  ['GET', 'other'],
  ['FLUSHALL'],
  ['KEYS', '*'],
  ['CONFIG', 'GET', '*'],
];

test('a bot is ready and operates with the account that deploy/README.md gives it, all of which it uses, and which may nothing else', async () => {
  const server = await startRedis();
  const admin = createRedis(server.url);
  await admin.call('ACL', 'SETUSER', 'keypad', ...rightsOf('keypad'));
  const url = server.url.replace('//', '//keypad:word@');
  const bot = await startBot({ REDIS_URL: url });
  await operate(bot, 'zhangsan');
  await Promise.all(['hi', '1', '0', '?'].map((line) => bot.wecom.say('lisi', line)));
  await loseAnswer(bot);
  await expect.poll(() => settled(bot).length).toBeGreaterThan(0);
  await bot.bot.checks.redis();
  const redis = createRedis(url);
  await openCallbackSources({
    allowed: { wecom: true, cidrs: [] },
    redis,
    corpId: 'ww1',
    askWeCom: async () => ['10.1.0.0/16'],
    onError: (error) => expect.unreachable(`${error}`),
    now: Date.now,
  });
  expect(await admin.call('ACL', 'LOG')).toEqual([]);
  const ofAdmin = new Set(['ping', 'acl|setuser', 'acl|log', 'info', 'auth', 'command']);
  const used = [...(await admin.info('commandstats')).matchAll(/^cmdstat_([^:]+)/gm)].map(
    ([, name = '']) => name,
  );
  const given = rightsOf('keypad').filter((word) => word.startsWith('+'));
  // What scripts call only now and then, too.
  const scripts = globSync('src/{chat,bot}/*.ts').map((file) => readFileSync(file, 'utf8'));
  const inScripts = [...scripts.join('\n').matchAll(/redis\.call\('(\w+)'/g)].map(([, name = '']) =>
    name.toLowerCase(),
  );
  expect(new Set(given)).toEqual(
    new Set([...used, ...inScripts].filter((name) => !ofAdmin.has(name)).map((name) => `+${name}`)),
  );
  for (const [name, ...args] of forbidden) await expect(redis.call(name, ...args)).rejects.toThrow('NOPERM');
  redis.disconnect();
  admin.disconnect();
  await bot.stop();
  await server.stop();
});
