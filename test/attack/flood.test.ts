import { Agent, request } from 'node:http';
import { afterAll, expect, test } from 'vitest';
import { APP, cipher, envelope, signedPath, startBot } from '#test/bot.ts';
import { attacks } from '#test/size.ts';
import { sentences } from '../../src/chat/index.ts';

const { bot, url, lines, stop } = await startBot();
const agent = new Agent();
afterAll(async () => {
  agent.destroy();
  await stop();
});

let ids = 2e15;
/** What a member reads in answer to a message within the 5 s that WeCom waits; null for an empty answer. */
function say(user: string, text: string): Promise<string | null> {
  ids += 1;
  const message = `<xml><ToUserName>${APP.corpId}</ToUserName><FromUserName>${user}</FromUserName><CreateTime>${Math.floor(Date.now() / 1000)}</CreateTime><MsgType>text</MsgType><Content>${text}</Content><MsgId>${ids}</MsgId><AgentID>${APP.agentId}</AgentID></xml>`;
  const encrypted = cipher.encrypt(message);
  const { promise, resolve, reject } = Promise.withResolvers<string | null>();
  const asked = request(
    url + signedPath(encrypted),
    { method: 'POST', agent, signal: AbortSignal.timeout(5000) },
    (response) => {
      let body = '';
      response.on('data', (part) => {
        body += part;
      });
      response.on('end', () => {
        const [, sealed] = /<Encrypt><!\[CDATA\[(.*?)\]\]>/.exec(body) ?? [];
        const [, said] = /<Content><!\[CDATA\[(.*?)\]\]>/s.exec(cipher.decrypt(sealed ?? '')) ?? [];
        if (response.statusCode !== 200) reject(new Error(`${response.statusCode}: ${body}`));
        else resolve(body === '' ? null : (said ?? ''));
      });
    },
  );
  asked.on('error', reject);
  asked.end(envelope(encrypted));
  return promise;
}

test('ten messages of each of many, 400 at one moment: everybody else is answered in WeCom’s 5 s, and all is as before', async () => {
  const members = Array.from({ length: attacks(30, 300) }, (_, i) => `member-${i}`);
  const others = Array.from({ length: 10 }, (_, i) => `other-${i}`);
  for (const user of others) expect(await say(user, 'hi')).toContain('1 电商');

  // More at one moment than this machine answers in 5 s would show how fast it is, and nothing else.
  const left = members.flatMap((user) => Array<string>(10).fill(user));
  const ended: string[] = [];
  const lane = async (): Promise<void> => {
    for (let user = left.shift(); user !== undefined; user = left.shift()) {
      const said = await say(user, 'hi').catch(String);
      ended.push(said?.split('\n')[0] ?? 'nothing');
    }
  };
  const flood = Promise.all(Array.from({ length: 400 }, lane));
  const asked = others.map((user) => say(user, '1'));
  for (const reply of await Promise.all(asked)) expect(reply).toContain('Kubernetes');
  await flood;
  const counts = Object.entries(Object.groupBy(ended, (what) => what));
  process.stdout.write(`${JSON.stringify(counts.map(([what, all]) => [what, all?.length]))}\n`);
  // Who gets nothing in time is asked again by WeCom. Nobody's connection was cut, and nothing broke.
  const known = [sentences.tooFast, sentences.working, 'AbortError: The operation was aborted'];
  const screens = /^(?:请选择事业部|请输入列出的数字。)$/;
  expect(ended.filter((what) => !known.includes(what) && !screens.test(what))).toEqual([]);
  expect(lines.filter((line) => /"level":"error"|"refused"/.test(line))).toEqual([]);

  const after = await Promise.all([...members, ...others].map((user) => say(user, 'hi')));
  expect(after.filter((reply) => !reply?.includes('1 '))).toEqual([]);
  await expect.poll(bot.app.waiting.count).toBe(0);
});
