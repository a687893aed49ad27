import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { afterAll, expect, test } from 'vitest';
import { z } from 'zod';
import { startBot } from '#test/bot.ts';
import { openRaw } from '#test/raw-http.ts';
import { attacks } from '#test/size.ts';
import { signRequest } from '../../src/push/apps/signature.ts';
import { createBodyRoom } from '../../src/push/http/body-room.ts';
import { route } from '../../src/push/http/route.ts';
import { startInternal } from '../../src/server/internal.ts';
import { createLog } from '../../src/server/log.ts';
import { createRegistry } from '../../src/server/metrics.ts';
import { openOpsHarness } from '../ops/ops-harness.ts';
import { openApiHarness } from '../push/http/api-harness.ts';

const local = { host: '127.0.0.1', port: 0 };
const isAttack = attacks(0, 1) === 1;
const log = createLog({ level: 'silent' });
const bot = await startBot();
const opsHarness = await openOpsHarness();
const ops = await opsHarness.startReplica();
const room = createBodyRoom({ each: 1e6, total: 1e6 });
const push = await openApiHarness(
  () => [
    route('POST /small', {
      accepts: { 'application/octet-stream': z.string() },
      answers: { 200: z.object({}) },
      summary: 'Takes what is small.',
      reply: async () => ({}),
    }),
  ],
  { realClock: true, room, bodyMs: 2000 },
);
const internal = await startInternal({ role: 'bot', ...local, registry: createRegistry(), checks: {}, log });
const urls = {
  bot: bot.url,
  ops: await ops.app.listen(local),
  push: await push.app.listen(local),
  internal: internal.url,
};
const key = await push.newApp('ci', ['text'], { perMinute: 1e6 });
afterAll(async () => {
  await bot.stop();
  await opsHarness.stop();
  await push.stop();
  await internal.close();
});

type Role = keyof typeof urls;
const apps: Readonly<Record<Role, FastifyInstance>> = {
  bot: bot.bot.app,
  ops: ops.app,
  push: push.app,
  internal: internal.app,
};
const targets: Readonly<Record<Role, string>> = {
  bot: '/wecom/callback?msg_signature=a&timestamp=1&nonce=a',
  ops: '/v1/operations/k8s.scale',
  push: '/v1/small',
  internal: '/readyz',
};

/** What is said of a request to that address, of which the rest never comes. */
const ENDLESS: Readonly<Record<string, (target: string) => string>> = {
  'nothing at all': () => '',
  'headers without an end': (target) => `POST ${target} HTTP/1.1\r\nHost: a\r\nX-More: ${'a'.repeat(900)}`,
  'a body of which nothing comes': (target) =>
    `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n`,
  'a body that stops': (target) =>
    `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n${'x'.repeat(5000)}`,
  'chunks that stop': (target) =>
    `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n${'x'.repeat(1024)}\r\n`,
};
const EACH = attacks(4, 40);

/** Opens so many of each kind; their ends, and how many bytes were said. */
async function flood(role: Role) {
  const said = Object.values(ENDLESS).flatMap((begin) => Array<string>(EACH).fill(begin(targets[role])));
  const opened = await Promise.all(said.map((text) => openRaw(urls[role], text)));
  return { opened, count: said.length, bytes: said.join('').length };
}

test.each(['bot', 'ops', 'internal'] as const)(
  'of requests to %s that never end no byte is held that did not come, and at their time none at all',
  async (role) => {
    const { waiting } = apps[role];
    const { opened, count, bytes } = await flood(role);
    await expect.poll(() => [waiting.count(), waiting.bytes()]).toEqual([count, bytes]);
    if (!isAttack) for (const { cut } of opened) cut();
    const answers = await Promise.all(opened.map(({ closed }) => closed));
    if (isAttack)
      expect(new Set(answers.map((answer) => answer.slice(0, 12)))).toEqual(new Set(['HTTP/1.1 408']));
    await expect.poll(() => [waiting.count(), waiting.bytes()]).toEqual([0, 0]);
  },
);

test('message delivery answers at once what is not signed, and keeps nothing of it', async () => {
  const { waiting } = apps.push;
  const { opened } = await flood('push');
  // What has no headers yet has its time for them; of the others the headers are enough.
  await expect.poll(waiting.count).toBe(2 * EACH);
  expect(room.held()).toBe(0);
  if (!isAttack) for (const { cut } of opened.slice(0, 2 * EACH)) cut();
  const answers = await Promise.all(opened.map(({ closed }) => closed));
  const statuses = new Set(answers.map((answer) => answer.slice(9, 12)));
  expect(statuses).toEqual(new Set([isAttack ? '408' : '', '401']));
});

test('of signed bodies that never end message delivery keeps what their length says, until their time is over', async () => {
  const begin = (length: number, sent: number) => {
    const signed = { method: 'POST', target: targets.push, body: 'x', now: Date.now(), nonce: randomUUID() };
    const all = {
      'Content-Type': 'application/octet-stream',
      'Content-Length': `${length}`,
      ...signRequest({ app: 'ci', key }, signed),
    };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    return openRaw(urls.push, `POST ${targets.push} HTTP/1.1\r\n${lines.join('')}\r\n${'x'.repeat(sent)}`);
  };
  const opened = await Promise.all(Array.from({ length: EACH }, (_, i) => begin(1000 + i, i % 2 ? 0 : 999)));
  await expect.poll(() => room.held(), { interval: 5 }).toBe(1000 * EACH + (EACH * (EACH - 1)) / 2);
  for (const { closed } of opened) expect(await closed).toMatch(/^HTTP\/1\.1 408 /);
  expect(room.held()).toBe(0);
});

test.each(['bot', 'ops', 'internal'] as const)(
  'a body that pours into %s without an end is cut at its limit',
  async (role) => {
    const { waiting } = apps[role];
    const connection = await openRaw(urls[role], ENDLESS['chunks that stop']?.(targets[role]) ?? '');
    let isOpen = true;
    const closed = connection.closed.finally(() => {
      isOpen = false;
    });
    let most = 0;
    while (isOpen) {
      connection.say(`4000\r\n${'x'.repeat(16_384)}\r\n`);
      await new Promise(setImmediate);
      most = Math.max(most, waiting.bytes());
    }
    // Whoever goes on writing may lose the answer.
    expect(await closed).toMatch(/^(?:HTTP\/1\.1 413 |$)/);
    expect(most).toBeLessThan(64 * 1024 + 3 * 65_536);
    await expect.poll(waiting.count).toBe(0);
  },
);

test('each server has the time for a request that its role names', () => {
  const seconds = Object.entries(apps).map(([role, { server }]) => [role, server.requestTimeout / 1000]);
  expect(Object.fromEntries(seconds)).toEqual({ bot: 10, ops: 15, push: 600, internal: 10 });
});
