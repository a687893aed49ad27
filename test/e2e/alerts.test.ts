import { afterAll, expect, test } from 'vitest';
import { countsOf, readRules, readSeries, selected } from '#test/alert-rules.ts';
import { startTestDemo } from '#test/demo.ts';
import { withoutPromtool } from '#test/promtool.ts';
import { recordMetrics } from '#test/recorded-metrics.ts';
import { writeCallback } from '../../demo/wecom/callback-xml.ts';
import { sealCallback } from '../../demo/wecom/seal.ts';

// The real /metrics of three roles, as production runs them, played to the rules of deploy/alerts.yaml.
const demo = await startTestDemo();
afterAll(() => demo.stop());
const at = (port: string | undefined): string => `http://127.0.0.1:${port}`;
const targets = {
  bot: at(demo.env.BOT_INTERNAL_PORT),
  ops: at(demo.env.OPS_INTERNAL_PORT),
  push: at(demo.env.PUSH_INTERNAL_PORT),
};
const recorded = recordMetrics(targets);
const app = {
  corpId: demo.env.WECOM_CORP_ID ?? '',
  agentId: Number(demo.env.WECOM_AGENT_ID),
  secret: '',
  token: demo.env.WECOM_TOKEN ?? '',
  encodingAesKey: demo.env.WECOM_ENCODING_AES_KEY ?? '',
};
let callbacks = 0;
/** A message of somebody whom user/get does not know, such as a member of a linked enterprise. */
async function writeAs(stranger: string): Promise<number> {
  const createTime = Math.floor(Date.now() / 1000);
  callbacks += 1;
  const heading = { user: stranger, createTime, msgId: `77${callbacks}` };
  const { query, body } = sealCallback(
    app,
    writeCallback(app, heading, { type: 'text', content: '你好' }),
    createTime,
  );
  return (await fetch(`${demo.env.BOT_CALLBACK_URL}?${query}`, { method: 'POST', body })).status;
}
const withPromtool = test.skipIf(withoutPromtool !== '');

test('from the start every count is there that an alert looks at, and what must not happen has not', async () => {
  const pages = await Promise.all(
    Object.values(targets).map(async (url) => (await fetch(`${url}/metrics`)).text()),
  );
  const series = readSeries(pages.join('\n'));
  for (const count of countsOf(readRules()))
    expect(selected(series, count).length, `${count.name}{${count.label}="${count.value}"}`).toBeGreaterThan(
      0,
    );
  // The bot asks for the ranges of callbacks when it starts, and message delivery may not be there yet.
  const bad = ['error', 'refused', 'away', 'undeliverable', 'broken', 'source', 'token', 'replay'];
  const counted = series.filter(
    ({ name, labels, value }) =>
      /_(?:total|count)$/.test(name) && value > 0 && [...labels.values()].some((each) => bad.includes(each)),
  );
  expect(counted).toEqual([]);
  const ready = series.filter(({ name }) => name === 'keypad_ready');
  expect(ready.map(({ labels, value }) => [labels.get('role'), labels.get('check'), value])).toEqual([
    ['bot', 'redis', 1],
    ['ops', 'mysql', 1],
    ['push', 'mysql', 1],
  ]);
});

withPromtool(`60 people whom WeCom does not know raise nothing${withoutPromtool}`, async () => {
  const from = recorded.seconds();
  await recorded.scrape(120);
  for (let quarter = 0; quarter < 6; quarter += 1) {
    const people = Array.from({ length: 10 }, (_, i) => `stranger${10 * quarter + i}`);
    for (const person of people) expect(await writeAs(person)).toBe(200);
    await recorded.scrape(150);
  }
  const page = await (await fetch(`${targets.bot}/metrics`)).text();
  expect(page).toContain('keypad_delivery_call_seconds_count{what="user",result="answered"} 60');
  recorded.expectFiring([], { from, to: recorded.seconds() });
});

withPromtool(`the first forged request raises one alert${withoutPromtool}`, async () => {
  const url = `${at(demo.env.OPS_PORT)}/v1/operations/me`;
  const headers = { authorization: 'Bearer a.b.c', 'content-type': 'application/json' };
  expect((await fetch(url, { method: 'POST', headers, body: '{}' })).status).toBe(403);
  const from = recorded.seconds();
  await recorded.scrape(300);
  recorded.expectFiring(['KeypadForgedRequest'], { from: from + 30, to: from + 230 });
  await recorded.scrape(120);
  recorded.expectFiring([], { from: recorded.seconds() - 60, to: recorded.seconds() - 15 });
});

withPromtool(`a bot that starts before its Redis raises nothing${withoutPromtool}`, async () => {
  const from = recorded.seconds();
  await demo.kill('redis');
  await demo.kill('bot');
  const bot = demo.restart('bot');
  const answered = async (): Promise<boolean> => (await demo.wecom.say('zhangsan', '你好')).reply !== null;
  await expect.poll(answered, { timeout: 20_000 }).toBe(true);
  await recorded.scrape(45);
  await demo.restart('redis');
  await bot;
  expect(await demo.say('zhangsan', '#', '你好')).toContain('电商');
  await recorded.scrape(600);
  recorded.expectFiring([], { from, to: recorded.seconds() });
});

withPromtool(`a dead ops raises one alert, whoever writes meanwhile${withoutPromtool}`, async () => {
  await demo.kill('ops');
  const from = recorded.seconds();
  for (let minute = 0; minute < 10; minute += 1) {
    await demo.wecom.say('zhangsan', '1');
    await recorded.scrape(60);
  }
  recorded.expectFiring(['KeypadOpsDown'], { from: from + 180, to: recorded.seconds() });
});
