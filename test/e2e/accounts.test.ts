import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { SHOP, shopFolder } from '#test/shop.ts';
import { type RunningWeCom, startWeCom } from '../../demo/wecom/start.ts';
import { createPushClient } from '../../src/push/client.ts';
import { startTestDemo } from '../helpers/demo.ts';
import { startWeComRouter } from '../helpers/wecom-router.ts';

// The people of the second enterprise have the userids of the first.
const { file, remove } = shopFolder();
const shopAccount = (tokenFile: string) =>
  `shop: { corpId: ${SHOP.corpId}, agentId: ${SHOP.agentId}, tokenFile: ${tokenFile}, encodingAesKeyFile: aes,
    secretFile: secret, allowedSources: 127.0.0.1, limits: { accountLimit: 100 } }`;
const policy = readFileSync('deploy/policy.yaml', 'utf8');

const router = await startWeComRouter();
const shop: RunningWeCom = await startWeCom({
  ...SHOP,
  port: 0,
  pace: { attemptMs: 5000, attempts: 1, retryGapMs: 1 },
});
router.simulators.set(SHOP.corpId, shop.url);
const demo = await startTestDemo({
  weComFor(url) {
    router.simulators.set('', url);
    return router.url;
  },
  settings: {
    ACCOUNTS_FILE: file('accounts.yaml', `accounts: { ${shopAccount('token')} }`),
    OPS_POLICY_FILE: file('policy.yaml', policy.replace('[lisi]', '[lisi, wecom-callback/shop/lisi]')),
  },
});
shop.setCallbackUrls([`http://127.0.0.1:${demo.roleEnv.bot.BOT_PORT}/wecom/callback/shop`]);
afterAll(async () => {
  await shop.stop();
  await demo.stop();
  await router.stop();
  remove();
});
const sayToShop = async (user: string, ...lines: readonly string[]) => {
  let reply = '';
  for (const line of lines) reply = (await shop.say(user, line)).reply ?? '';
  return reply;
};

test('two apps of two enterprises are served by one process, their sessions apart', async () => {
  expect(await shop.verifyUrl()).toBeUndefined();
  expect(await demo.say('lisi', 'hi', '1', '1')).toContain('电商 › Kubernetes');
  // The same userid at the other app is somebody else, who stands nowhere yet: a number chooses nothing.
  expect(await sayToShop('lisi', '1')).toContain('1 电商');
  expect(await demo.say('lisi', '1')).toContain('web');
});

test('a right of one app is none at the other', async () => {
  expect(await demo.say('zhangsan', '#', 'hi')).toContain('2 支付');
  expect(await sayToShop('zhangsan', 'hi')).toContain('没有任何运维权限');
  expect(await sayToShop('lisi', '#', 'hi')).not.toContain('支付');
});

const patiently = { timeout: 20_000, interval: 50 };
const { PUSH_APP_ID: app = '', PUSH_APP_KEY: key = '', PUSH_URL: url = '' } = demo.env;
const client = createPushClient({ url, app, key });
const arrivedAtShop = (user: string) => shop.arrived(user).map(({ text }) => text);

test('what comes after the reply is sent by the app that the message came from', async () => {
  expect(await sayToShop('lisi', '#', 'hi', '1-1-3', 'web')).toContain('1 确认');
  demo.cluster.hold();
  expect(await sayToShop('lisi', '1')).toContain('已提交');
  demo.cluster.release();
  await expect.poll(() => arrivedAtShop('lisi').join(), patiently).toContain('web：已重启');
  expect(demo.pushed('lisi').join()).not.toContain('已重启');
});

test('while WeCom refuses one account the other goes on, and everything arrives once it is mended', async () => {
  const errmsg = 'not allow to access from your ip, hint: [1], from ip: 192.0.2.7';
  demo.wecom.setFaults([{ api: 'message/send', errcode: 60020, errmsg, times: 'always' }]);
  const waiting = await client.push({ to: { users: ['lisi'] }, text: '先等着' });
  await client.push({ to: { users: ['lisi'] }, text: '后面的' });
  const accounts = async () => {
    const answer = await client.accounts();
    return Object.fromEntries(
      answer.map(({ account, state, advice }) => [account, `${state} ${advice ?? ''}`]),
    );
  };
  await expect.poll(accounts, patiently).toMatchObject({
    default: expect.stringContaining('paused Add 192.0.2.7'),
    shop: 'active ',
  });
  const sent = await client.send({ account: 'shop', to: { users: ['lisi'] }, text: '另一个应用' });
  expect(sent.state).toBe('sent');
  expect(arrivedAtShop('lisi').join()).toContain('另一个应用');
  expect(await client.message(waiting.id)).toMatchObject({ state: 'queued' });
  demo.wecom.setFaults([]);
  const both = () => demo.pushed('lisi').filter((text) => ['先等着', '后面的'].includes(text));
  await expect.poll(both, { ...patiently, timeout: 40_000 }).toEqual(['先等着', '后面的']);
  expect(await accounts()).toMatchObject({ default: 'active ' });
}, 90_000);

test('SIGHUP of message delivery takes an account away, brings one back, and uses a changed secret', async () => {
  const pushMetrics = async () =>
    (await fetch(`http://127.0.0.1:${demo.roleEnv.push.PUSH_INTERNAL_PORT}/metrics`)).text();
  const stateOfShop = async () => (await client.accounts()).find(({ account }) => account === 'shop');
  const reload = (accounts: string): void => {
    file('accounts.yaml', `accounts: { ${accounts} }`);
    demo.processes.push.process.kill('SIGHUP');
  };
  const toShop = (text: string) => client.push({ account: 'shop', to: { users: ['lisi'] }, text });
  shop.setFaults([{ api: 'message/send', errcode: 60020, errmsg: 'not allow', times: 'always' }]);
  const waiting = await toShop('账号被拿掉时');
  await expect.poll(stateOfShop, patiently).toMatchObject({ state: 'paused' });
  reload('');
  await expect.poll(stateOfShop, patiently).toMatchObject({ state: 'removed', queued: 1 });
  await expect(toShop('没有这个账号')).rejects.toThrow('there is no account "shop"');
  expect(await client.message(waiting.id)).toMatchObject({ state: 'queued' });
  shop.setFaults([]);

  reload(`${shopAccount('token')}, broken: { corpId: ww7777777777777777, agentId: x }`);
  await expect.poll(() => arrivedAtShop('lisi'), { ...patiently, timeout: 40_000 }).toContain('账号被拿掉时');
  await expect.poll(() => client.message(waiting.id), patiently).toMatchObject({ state: 'sent' });
  expect(await pushMetrics()).toContain('keypad_account_bad{account="broken"} 1');

  // The same app elsewhere, which knows the new secret only.
  const renewed = await startWeCom({
    ...SHOP,
    secret: 'shop-secret-renewed',
    port: 0,
    pace: { attemptMs: 5000, attempts: 1, retryGapMs: 1 },
  });
  try {
    router.simulators.set(SHOP.corpId, renewed.url);
    file('secret', 'shop-secret-renewed');
    reload(shopAccount('token'));
    await expect.poll(pushMetrics, patiently).not.toContain('keypad_account_bad{');
    await toShop('新的密钥');
    const arrived = () => renewed.arrived('lisi').map(({ text }) => text);
    await expect.poll(arrived, { ...patiently, timeout: 40_000 }).toEqual(['新的密钥']);
    expect(await stateOfShop()).toMatchObject({ state: 'active' });
  } finally {
    router.simulators.set(SHOP.corpId, shop.url);
    await renewed.stop();
  }
  file('accounts.yaml', 'accounts: {');
  demo.processes.push.process.kill('SIGHUP');
  await expect.poll(pushMetrics, patiently).toContain('keypad_account_bad{account="*"} 1');
}, 120_000);

test('SIGHUP gives an account that became bad its old definition, and takes a removed one away', async () => {
  const reload = async (accounts: string, word: string) => {
    file('accounts.yaml', `accounts: { ${accounts} }`);
    demo.processes.bot.process.kill('SIGHUP');
    await expect.poll(() => log(), { timeout: 10_000 }).toContain(word);
  };
  const log = () => readFileSync(join(demo.directory, 'logs', 'bot.log'), 'utf8');
  await reload(shopAccount('nowhere'), 'tokenFile names');
  expect(await sayToShop('lisi', '#', 'hi')).toContain('电商');
  await reload('', '"accounts":["default"]');
  expect((await shop.say('lisi', 'hi')).reply).toBeNull();
  expect(await demo.say('lisi', '#', 'hi')).toContain('电商');
});
