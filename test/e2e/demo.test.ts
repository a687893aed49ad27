import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import mysql from 'mysql2/promise';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { startCluster } from '../../demo/cluster/cluster.ts';
import { demoSeed } from '../../demo/cluster/seed.ts';
import { checkPorts, type DemoPorts } from '../../demo/servers/ports.ts';
import { isRunning } from '../helpers/demo.ts';
import { choosePorts } from '../helpers/ports.ts';
import { type DemoProcess, runDemo } from './demo-process.ts';

/** What an outside client finds in `.demo/env`, as issues 2 and 3 list it. */
const NAMES = [
  'BOT_CALLBACK_URL',
  'WECOM_CORP_ID',
  'WECOM_AGENT_ID',
  'WECOM_TOKEN',
  'WECOM_ENCODING_AES_KEY',
  'WECOM_API_URL',
  'OPS_URL',
  'REDIS_URL',
  'MYSQL_URL',
  'KUBECONFIG',
  'PHONE_URL',
  'PUSH_URL',
  'PUSH_APP_ID',
  'PUSH_APP_KEY',
];

let directory: string;
let ports: DemoPorts;
let started: DemoProcess[] = [];
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'keypad-demo-'));
  ports = await choosePorts();
});
afterEach(async () => {
  await Promise.all(started.map((run) => run.end('SIGTERM')));
  started = [];
  rmSync(directory, { recursive: true, force: true });
});

function run(env: Readonly<Record<string, string>> = {}): DemoProcess {
  const demo = runDemo(directory, { DEMO_PORT: `${ports.bot}`, ...env });
  started.push(demo);
  return demo;
}

const V1 = 'client.authentication.k8s.io/v1';
const inDirectory = (name: string): string => join(directory, name);
const settings = (): NodeJS.Dict<string> => parseEnv(readFileSync(join(directory, '.demo/env'), 'utf8'));

async function say(user: string, ...lines: readonly string[]): Promise<string> {
  let reply = '';
  for (const text of lines) {
    const answered = await fetch(`${settings().PHONE_URL}/api/say`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ user, text }),
    });
    reply = ((await answered.json()) as { reply: string }).reply;
  }
  return reply;
}

/** How many operations have been done so far, by the audit in the demo's own database. */
async function operationsDone(): Promise<number> {
  const connection = await mysql.createConnection(settings().MYSQL_URL ?? '');
  const [rows] = await connection.query(
    "select count(*) as n from audit where outcome = 'done' and target <> ''",
  );
  await connection.end();
  return (rows as { n: number }[])[0]?.n ?? 0;
}

test('the demo prints one block, leaves its settings, keeps its data, and goes with all its processes', async () => {
  const first = run();
  expect(await first.settled, first.complained()).toBe(null);
  expect(first.printed()).toContain(`Phone       http://127.0.0.1:${ports.phone}\n`);
  expect(first.printed()).toContain(`Callback    http://127.0.0.1:${ports.bot}/wecom/callback\n`);
  expect(first.printed()).toContain('Kubeconfig  .demo/kubeconfig');
  // What is normal at a start is neither warning nor error.
  const lines = ['bot', 'ops', 'push'].flatMap((role) =>
    readFileSync(inDirectory(`.demo/logs/${role}.log`), 'utf8')
      .trim()
      .split('\n'),
  );
  expect(lines.filter((line) => JSON.parse(line).level !== 'info')).toEqual([]);
  const before = settings();
  expect(Object.keys(before)).toEqual(expect.arrayContaining(NAMES));
  expect(before).toMatchObject({
    OPS_URL: `http://127.0.0.1:${ports.ops}`,
    PUSH_URL: `http://127.0.0.1:${ports.bot + 3}`,
    WECOM_API_URL: `http://127.0.0.1:${ports.phone}`,
    REDIS_URL: expect.stringMatching(`^redis://:\\w{32}@127.0.0.1:${ports.redis}$`),
  });
  expect(readFileSync(before.KUBECONFIG ?? '', 'utf8')).toContain(`https://127.0.0.1:${ports.cluster}`);
  expect(await say('zhangsan', '你好', '1-1-2', 'web', '3', '1')).toContain('web：2 → 3，3 个就绪');
  expect(await operationsDone()).toBe(1);
  // Two servers, three roles, and the menus of the bot.
  const children = first.children();
  expect(children).toHaveLength(6);
  expect(await first.end('SIGTERM')).toBe(0);
  expect(children.filter(isRunning)).toEqual([]);

  // Nothing needs a home, not even one that could be made.
  const second = run({ HOME: '/proc/x' });
  expect(await second.settled, second.complained()).toBe(null);
  expect(settings()).toEqual(before);
  expect(await operationsDone()).toBe(1);
  // The session is where it was left: at the outcome, from which 0 leads to the menu.
  expect(await say('zhangsan', '0')).toContain('电商 › Kubernetes\n1 查看部署');
  const again = second.children();
  expect(await second.end('SIGINT')).toBe(0);
  expect(again.filter(isRunning)).toEqual([]);
  await checkPorts(ports);
  expect(second.complained()).toBe('');
}, 90_000);

test('a taken port is one sentence and no stack trace', async () => {
  const server = createServer().listen(ports.phone, '127.0.0.1');
  await once(server, 'listening');
  const taken = run();
  expect(await taken.settled).toBe(1);
  expect(taken.complained()).toMatch(
    new RegExp(`^Port ${ports.phone} \\(phone\\) is taken: .* DEMO_PORT=9000 npm run demo\\.\\n$`),
  );
  server.close();
});

test('with KUBECONFIG the demo uses that cluster as the platform would, and starts none of its own', async () => {
  const cluster = await startCluster({ port: 0, token: 'of-somebody-else', seed: demoSeed, tick: 30 });
  const theirs = parse(cluster.kubeconfig.replaceAll('demo', 'somebody'));
  const write = (name: string, text: string, mode?: number) =>
    writeFileSync(join(directory, name), text, { mode });
  // Several files, a path that begins at its own, and a plug-in that needs something of the environment.
  const status = '{"token":"\'"$OF_SOMEBODY"\'"}';
  write(
    'login',
    `#!/bin/sh\necho '{"kind":"ExecCredential","apiVersion":"${V1}","status":${status}}'\n`,
    0o700,
  );
  const user = { exec: { apiVersion: V1, interactiveMode: 'Never', command: './login' } };
  write('users', stringify({ users: [{ name: 'somebody', user }] }));
  write('rest', stringify({ ...theirs, users: [] }));
  const demo = run({ KUBECONFIG: 'users:rest', OF_SOMEBODY: 'of-somebody-else' });
  expect(await demo.settled, demo.complained()).toBe(null);
  expect(settings().KUBECONFIG).toBe(['.demo/kubeconfig', 'users', 'rest'].map(inDirectory).join(':'));
  expect(await say('zhangsan', '你好', '1-1-2', 'web', '3', '1')).toContain('web：2 → 3，3 个就绪');
  expect(cluster.get('deployments', 'shop', 'web')?.spec?.replicas).toBe(3);
  await expect(fetch(`https://127.0.0.1:${ports.cluster}`)).rejects.toMatchObject({
    cause: { code: 'ECONNREFUSED' },
  });
  expect(await demo.end('SIGTERM')).toBe(0);
  await cluster.stop();
}, 60_000);

test('a KUBECONFIG that cannot be used is one sentence, and what had started is stopped again', async () => {
  const demo = run({ KUBECONFIG: 'missing.yaml' });
  const settled = await demo.settled;
  expect([settled, demo.complained().trim().split('\n').length]).toEqual([1, 1]);
  expect(demo.complained()).toMatch(/^KUBECONFIG: .*missing\.yaml is not there/);
  await checkPorts(ports);
});
