import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Credentials } from '../../demo/credentials.ts';
import { createPushClient } from '../../src/push/client.ts';
import { openDatabase } from '../../src/push/database/database.ts';
import { createTokenStore } from '../../src/push/token-store.ts';
import { CLUSTER_TOKEN, startTestDemo, type TestDemo } from '../helpers/demo.ts';

/** Everything that could go wrong with a secret in it goes wrong once, at the level that writes the most. */

interface Line {
  readonly msg?: string;
  readonly part?: string;
  readonly status?: number;
  readonly id?: string;
  readonly result?: string;
  readonly operation?: string;
  readonly state?: string;
  readonly isPreview?: boolean;
}

let demo: TestDemo;
let credentials: Credentials;
let code: string;
let accessToken: string;
beforeAll(async () => {
  demo = await startTestDemo({ settings: { LOG_LEVEL: 'debug' } });
  credentials = JSON.parse(readFileSync(join(demo.directory, 'credentials.json'), 'utf8')) as Credentials;
  const screen = await demo.say('zhangsan', '#', '你好', '1-1-2', 'search', '00');
  code = /确认码 (\d{4})/.exec(screen)?.[1] ?? 'no code';
  demo.cluster.hold();
  await demo.say('zhangsan', code);
  accessToken = await readAccessToken();
  demo.wecom.setFaults([
    { api: 'message/send', errcode: 40014 },
    { api: 'message/send', status: 502 },
  ]);
  demo.cluster.release();
  await vi.waitFor(() => expect(demo.pushed('zhangsan')).toHaveLength(1), { timeout: 10_000 });
  await demo.say('zhangsan', '#', '1-2-1');
  await refusedCallbacks();
  await refusedRequests();
  await sendToRobot();
  await demo.kill('redis');
  await vi.waitFor(async () => expect(await demo.say('lisi', '1')).toContain('会话服务暂时不可用'), {
    timeout: 20_000,
  });
  await demo.restart('redis');
});
afterAll(() => demo.stop());

async function readAccessToken(): Promise<string> {
  const { PUSH_MYSQL_URL = '', WECOM_CORP_ID: corpId = '', WECOM_AGENT_ID: agentId } = demo.roleEnv.push;
  const db = openDatabase(PUSH_MYSQL_URL);
  const { secret } = credentials;
  const kept = await createTokenStore(db, { corpId, agentId: Number(agentId), secret }).read();
  await db.destroy();
  return kept?.token ?? 'no token';
}

/** Callbacks that are refused, each with something in it that is nobody's business. */
async function refusedCallbacks(): Promise<void> {
  const url = demo.env.BOT_CALLBACK_URL ?? '';
  const query = `msg_signature=${credentials.token}&timestamp=1&nonce=1`;
  const body = `<xml><Encrypt>${credentials.encodingAesKey}=</Encrypt></xml>`;
  expect((await fetch(`${url}?${query}`, { method: 'POST', body })).status).toBe(403);
  expect((await fetch(`${url}?${query}&echostr=${credentials.secret}`)).status).toBe(403);
  expect((await fetch(`${url}?token=${credentials.token}`, { method: 'POST', body: '<' })).status).toBe(400);
}

async function refusedRequests(): Promise<void> {
  const url = `http://127.0.0.1:${demo.env.OPS_PORT}/v1/operations/me`;
  for (const token of [credentials.keys.signingKey.d, `eyJhbGciOiJub25lIn0.${credentials.auditKey}.x`]) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    expect((await fetch(url, { method: 'POST', headers, body: '{}' })).status).toBe(403);
  }
}

/** A message whose address holds the key of a robot, and requests with a key where none belongs. */
async function sendToRobot(): Promise<void> {
  const { PUSH_URL: url = '', PUSH_APP_ID: app = '', PUSH_APP_KEY: key = '' } = demo.env;
  const client = createPushClient({ url, app, key });
  demo.wecom.setFaults([{ api: 'webhook/send', status: 502 }]);
  await client.send({ to: { robots: ['ops-room'] }, text: '给机器人' });
  const headers = { 'x-keypad-app': app, 'x-keypad-signature': key };
  expect((await fetch(`${url}/v1/messages?key=${key}`, { headers })).status).toBe(401);
}

const logs = (): string =>
  readdirSync(join(demo.directory, 'logs'))
    .map((file) => readFileSync(join(demo.directory, 'logs', file), 'utf8'))
    .join('');
const lines = (): readonly Line[] =>
  logs()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
const callbacks = (result: string) => lines().filter((line) => line.result === result);

async function metrics(): Promise<string> {
  const ports = [demo.env.BOT_INTERNAL_PORT, demo.env.OPS_INTERNAL_PORT, demo.env.PUSH_INTERNAL_PORT];
  const pages = ports.map(async (port) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
  return (await Promise.all(pages)).join('\n');
}

test('the run has left its traces: refusals, faults, and an outcome that was told', async () => {
  const refused = () => lines().filter(({ msg, part }) => msg === 'refused' && part === 'bot');
  // The second one with another signature is braked.
  await expect.poll(() => refused().map(({ status }) => status)).toEqual([403, 400]);
  const text = await metrics();
  expect(text).toMatch(/keypad_callback_seconds_count\{result="signature"\} 2/);
  expect(text).toMatch(/keypad_callback_seconds_count\{result="malformed"\} 1/);
  expect(text).toMatch(/keypad_ops_refusals_total\{reason="token"\} 2/);
  expect(text).toMatch(/keypad_wecom_call_seconds_count\{api="message\/send",errcode="40014"\} 1/);
  expect(logs()).toContain('"level":"debug"');
});

test('no secret is in any log or metric', async () => {
  const secrets = {
    token: credentials.token,
    encodingAesKey: credentials.encodingAesKey,
    secret: credentials.secret,
    signingKey: credentials.keys.signingKey.d,
    auditKey: credentials.auditKey,
    databasePassword: credentials.databasePassword,
    clusterToken: CLUSTER_TOKEN,
    masterKey: credentials.masterKey,
    robotKey: credentials.robotKey,
    appKeyOfTheBot: demo.roleEnv.bot.PUSH_APP_KEY ?? '',
    appKeyOfOthers: demo.env.PUSH_APP_KEY ?? '',
    accessToken,
  };
  const seen = `${logs()}\n${await metrics()}`;
  for (const [name, value] of Object.entries(secrets)) {
    expect(value.length, name).toBeGreaterThan(20);
    expect(seen.includes(value), name).toBe(false);
  }
  // Four digits alone are in many numbers; as a text of its own they would be the code.
  expect(code).toMatch(/^\d{4}$/);
  expect(seen).not.toMatch(new RegExp(`["\\s]${code}["\\s]`));
});

test('a message has one id, from its callback in the log of the bot to its operations in that of ops', async () => {
  const confirmed = () =>
    lines().filter(({ operation, isPreview }) => operation === 'k8s.scale' && !isPreview);
  await expect.poll(confirmed).toHaveLength(1);
  const id = confirmed()[0]?.id;
  expect(callbacks('reply').filter((line) => line.id === id)).toHaveLength(1);
  // Whatever ops was asked, but by the bot for itself or by a stranger, some message was the reason.
  const asked = lines().filter(({ operation = 'outcomes.', state }) => {
    return !operation.startsWith('outcomes.') && state !== 'refused';
  });
  expect(asked.length).toBeGreaterThan(5);
  const messages = new Set(callbacks('reply').map((line) => line.id));
  expect(asked.filter((line) => !messages.has(line.id))).toEqual([]);
});

test('SIGHUP reads menus and policy again, and the log says so', async () => {
  for (const role of ['bot', 'ops', 'push'] as const) {
    demo.processes[role].process.kill('SIGHUP');
    const log = () => readFileSync(join(demo.directory, 'logs', `${role}.log`), 'utf8');
    await vi.waitFor(() => expect(log()).toContain(`"part":"${role}","msg":"reloaded"`), { timeout: 5000 });
  }
});
