import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { APP, envelope, previewOf, startBot, web } from '#test/bot.ts';
import { SHOP, shopFolder } from '#test/shop.ts';
import { type RunningWeCom, startWeCom } from '../../demo/wecom/start.ts';
import { openConfirmations } from '../../src/bot/open-confirmations.ts';
import type { Answer } from '../../src/contract/answer.ts';
import { channels } from '../../src/contract/principal.ts';
import type { Report } from '../../src/contract/report.ts';
import { createRedis } from '../../src/server/redis.ts';
import { createCipher } from '../../src/wecom/crypto/cipher.ts';

const { directory, file, remove } = shopFolder();
const entry = (changes: Readonly<Record<string, string | number>> = {}) =>
  JSON.stringify({
    corpId: SHOP.corpId,
    agentId: SHOP.agentId,
    tokenFile: 'token',
    encodingAesKeyFile: 'aes',
    allowedSources: '127.0.0.1,10.9.0.0/16',
    ...changes,
  });
const write = (accounts: string) => file('accounts.yaml', `accounts: ${accounts}`);

const path = write(`{ shop: ${entry()}, broken: ${entry({ agentId: 'x' })} }`);
const running = await startBot({ ACCOUNTS_FILE: path });
const { bot, wecom, platform, push } = running;
const shop: RunningWeCom = await startWeCom({
  ...SHOP,
  port: 0,
  pace: { attemptMs: 5000, attempts: 1, retryGapMs: 1 },
});
const address = bot.app.server.address();
const base = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
shop.setCallbackUrls([`${base}/wecom/callback/shop`]);
afterAll(async () => {
  await shop.stop();
  await running.stop();
  remove();
});

const status = async (url: string, remoteAddress = '127.0.0.1') => {
  const { statusCode, body } = await bot.app.inject({ method: 'POST', url, remoteAddress, payload: 'x' });
  return [statusCode, body];
};
const REFUSED = [403, 'source not allowed\n'];
const { metrics } = running;

test('two accounts are served side by side, each sealed with its own key, sessions apart', async () => {
  expect(await shop.verifyUrl()).toBeUndefined();
  expect((await wecom.say('zhangsan', 'hi')).reply).toContain('1 电商');
  expect((await wecom.say('zhangsan', '1')).reply).toContain('1 Kubernetes');
  // The same user at the other app stands nowhere yet: a number chooses nothing.
  expect((await shop.say('zhangsan', '1')).reply).toContain('1 电商');
  expect((await wecom.say('zhangsan', '1')).reply).toContain('1 查看部署');
});

test('the platform is asked as the user of that account, whose departments are those of its enterprise', async () => {
  await shop.say('lisi', 'hi');
  const users = platform.calls.map(({ user }) => user);
  expect(users).toContain('wecom-callback/shop/lisi');
  expect(users).not.toContain('lisi');
  expect(push.targets).toContain('/v1/directory/users/lisi?account=shop');
});

test('a confirmation goes out as that user, and so do its receipt and what is told when its answer got lost', async () => {
  const id = randomUUID();
  let fate: Answer | 'hang' = { state: 'done', text: 'web：2 → 3' };
  platform.script = ({ operation }) => {
    if (operation === 'k8s.deployments.list') return { state: 'done', output: [web] };
    if (operation === 'k8s.scale') return fate;
    if (operation === 'operation.settle') {
      return { state: 'done', output: { state: 'never', text: '没有执行：web 2 → 3' } };
    }
    return operation === 'k8s.scale/preview' ? previewOf(id) : undefined;
  };
  const asked = (operation: string) =>
    platform.calls.filter((call) => call.operation === operation).map(({ user }) => user);
  const scale = async () => {
    for (const line of ['#', 'hi', '1-1-2-1-3', '1']) await shop.say('wangwu', line);
  };
  await scale();
  const wangwu = 'wecom-callback/shop/wangwu';
  expect(asked('k8s.scale')).toEqual([wangwu]);
  await expect.poll(() => asked('operation.received')).toEqual([wangwu]);
  fate = 'hang';
  await scale();
  await expect.poll(() => push.told('wangwu'), { timeout: 8000 }).toContain('没有执行：web 2 → 3');
  expect(push.attempts.at(-1)).toMatchObject({ to: { users: ['wangwu'] }, account: 'shop' });
  expect(asked('operation.settle')).toEqual([wangwu]);
  platform.script = () => undefined;
});

test('what is for an account or a channel that is not served reaches nobody of that name, and is kept', async () => {
  Object.assign(channels, { pigeon: (user: string) => user });
  platform.script = ({ operation }) =>
    operation === 'operation.settle'
      ? { state: 'done', output: { state: 'never', text: '没有执行' } }
      : undefined;
  const redis = createRedis(running.redisUrl);
  const open = openConfirmations(redis, `${APP.agentId}`);
  const users = ['wecom-callback/gone/zhaoliu', 'pigeon/default/zhaoliu', 'zhaoliu'];
  for (const user of users) await open.note({ id: randomUUID(), user, trace: randomUUID() }, Date.now());
  const kept = async () => {
    const members = await redis.zrange(`keypad:{${APP.agentId}}:confirmations`, '0', '-1');
    return members.map((member) => (JSON.parse(member) as { user: string }).user).sort();
  };
  await expect.poll(kept).toEqual(users.slice(0, 2).sort());
  expect(push.attempts.filter(({ to }) => to.users.includes('zhaoliu'))).toHaveLength(1);
  for (const user of users.slice(0, 2)) {
    await expect.poll(() => running.lines.join('')).toContain(`Nothing here serves the account of ${user}.`);
  }
  await redis.flushall();
  redis.disconnect();
  Reflect.deleteProperty(channels, 'pigeon');
  platform.script = () => undefined;
});

test('an account that does not exist cannot be told from one that the caller may not call', async () => {
  for (const name of ['shop', 'nobody', 'broken', 'default', 'Shop', '__proto__', '%2e', '']) {
    expect([name, ...(await status(`/wecom/callback/${name}`, '203.0.113.9'))]).toEqual([name, ...REFUSED]);
  }
  for (const name of ['nobody', 'broken', 'default', '__proto__', '/']) {
    expect([name, ...(await status(`/wecom/callback/${name}`))]).toEqual([name, ...REFUSED]);
  }
});

test('the sources of one account let nobody into another', async () => {
  expect((await status('/wecom/callback/shop', '10.9.1.1'))[0]).toBe(400);
  expect(await status('/wecom/callback', '10.9.1.1')).toEqual(REFUSED);
});

test('a message that is signed and sealed for one account is no message for another', async () => {
  const cipher = createCipher({ ...APP, receiveId: APP.corpId });
  const encrypted = cipher.encrypt('<xml></xml>');
  const signature = cipher.sign('1767225600', 'n0nce', encrypted);
  const url = `/wecom/callback/shop?msg_signature=${signature}&timestamp=1767225600&nonce=n0nce`;
  const response = await bot.app.inject({ method: 'POST', url, payload: envelope(encrypted) });
  expect([response.statusCode, response.body]).toEqual([403, 'signature mismatch\n']);
});

test('a bad account is named in the log and a metric', async () => {
  expect(running.lines.join('')).toContain('account \\"broken\\": agentId must be a whole number');
  expect(await metrics()).toContain('keypad_account_bad{account="broken"} 1');
});

test('SIGHUP adds an account, removes one, and keeps one whose definition became bad', async () => {
  write(`{ shop: ${entry({ agentId: 'x' })}, bank: ${entry({ corpId: 'ww8888888888888888' })} }`);
  await bot.reload();
  expect((await shop.say('zhangsan', 'hi')).reply).toContain('电商');
  expect((await status('/wecom/callback/bank'))[0]).toBe(400);
  expect(await metrics()).toContain('keypad_account_bad{account="shop"} 1');
  expect(await metrics()).not.toContain('account="broken"');

  write(`{ bank: ${entry({ corpId: 'ww8888888888888888', allowedSources: '10.8.0.0/16' })} }`);
  await bot.reload();
  expect(await status('/wecom/callback/shop')).toEqual(REFUSED);
  expect(await status('/wecom/callback/bank')).toEqual(REFUSED);
  expect((await status('/wecom/callback/bank', '10.8.0.1'))[0]).toBe(400);
  expect(await metrics()).not.toContain('keypad_account_bad{');
});

test('a file that cannot be read leaves every account as it was', async () => {
  writeFileSync(path, 'accounts: {');
  await bot.reload();
  expect((await status('/wecom/callback/bank', '10.8.0.1'))[0]).toBe(400);
  expect((await wecom.say('zhangsan', 'hi')).reply).not.toBe('');
  expect(await metrics()).toContain('keypad_account_bad{account="*"} 1');
});

test('an account whose menus cannot be loaded costs only itself', async () => {
  write(`{ bank: ${entry({ corpId: 'ww8888888888888888' })}, bare: ${entry({ menus: './nothing' })} }`);
  await bot.reload();
  expect((await status('/wecom/callback/bank'))[0]).toBe(400);
  expect(await status('/wecom/callback/bare')).toEqual(REFUSED);
  expect(await metrics()).toContain('keypad_account_bad{account="bare"} 1');
});

test('an account whose new menus cannot be loaded goes on with its old definition', async () => {
  write(`{ bank: ${entry({ corpId: 'ww8888888888888888', menus: './nothing' })} }`);
  await bot.reload();
  expect((await status('/wecom/callback/bank'))[0]).toBe(400);
  expect(await metrics()).toContain('keypad_account_bad{account="bank"} 1');
});

test('of several accounts and folders that are bad at once, the platform hears of each', async () => {
  const root = `import { folder } from '#menu';\nexport default folder({ title: '首页' });\n`;
  const menus = ['one', 'two'].map((name) => join(directory, name));
  for (const each of menus) {
    mkdirSync(each);
    writeFileSync(join(each, 'index.ts'), root);
  }
  const bank = { corpId: 'ww8888888888888888' };
  write(`{ bank: ${entry({ ...bank, menus: './one' })}, bare: ${entry({ menus: './two' })} }`);
  await bot.reload();
  menus.forEach((each, i) => {
    writeFileSync(join(each, `${i + 1}-bad.ts`), 'export default 1;');
  });
  const bad = ['x', 'y'].map((name) => `${name}: ${entry({ agentId: 'x' })}`);
  write(`{ bank: ${entry({ ...bank, menus: './one' })}, bare: ${entry({ menus: './two' })}, ${bad} }`);
  await bot.reload();
  const heard = () =>
    platform.calls
      .filter(({ operation }) => operation === 'reports')
      .flatMap(({ body }) => (body as Report).problems)
      .join('\n');
  const expected = ['account "x"', 'account "y"', '1-bad.ts', '2-bad.ts'];
  await expect.poll(() => expected.filter((part) => !heard().includes(part))).toEqual([]);
});
