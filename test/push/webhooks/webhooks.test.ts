import { createHmac, hash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { openPushDatabase } from '#test/push-database.ts';
import type { App } from '../../../src/push/apps/app-cache.ts';
import { storeOpaque } from '../../../src/push/content/opaque.ts';
import { newId } from '../../../src/push/database/new-id.ts';
import { createWebhooks, type ResultTeller } from '../../../src/push/webhooks/webhooks.ts';
import { createHttpClient } from '../../../src/server/http-client.ts';
import { until } from '../templates/until.ts';
import { type Inbox, startInbox } from './inbox.ts';

const { db, drop } = await openPushDatabase();
const http = createHttpClient();
const inboxes: Inbox[] = [];
const tellers: ResultTeller[] = [];
let inbox: Inbox;
let other: Inbox;

const START = 1_767_225_600_000;
let now = START;
let hosts: readonly string[] = [];
let key: string | undefined = 'the-key-of-ci';
const calls: string[] = [];
const errors: unknown[] = [];

beforeAll(async () => {
  inbox = await startInbox('127.0.0.1');
  other = await startInbox('127.0.0.2');
  inboxes.push(inbox, other);
});
afterEach(async () => {
  for (const each of tellers.splice(0)) await each.close();
  expect(errors.splice(0)).toEqual([]);
  await db.deleteFrom('result_callbacks').execute();
  now = START;
  calls.length = 0;
});
afterAll(async () => {
  for (const each of inboxes) await each.stop();
  await http.close();
  await drop();
});

/** Starts a replica that tells; the list of hosts and the key are as if nobody had changed them. */
function replica(pollMs = 5): ResultTeller {
  hosts = ['127.0.0.1', '127.0.0.2'];
  key = 'the-key-of-ci';
  for (const each of inboxes) {
    (each.arrived as unknown[]).length = 0;
    each.answer = (_arrived, response) => response.end('ok');
  }
  const teller = createWebhooks({
    db,
    keys: { find: async () => ({ callbackHosts: hosts }) as App, newestKey: async () => key },
    send: http.send,
    now: () => now,
    pollMs,
    random: () => 0,
    newId: () => newId(now),
    onCall: (result) => calls.push(result),
    onError: (error) => errors.push(error),
  });
  tellers.push(teller);
  return teller;
}

const address = (to: Inbox, path = '/hook?x=1') => `http://127.0.0.${to === inbox ? 1 : 2}:${to.port}${path}`;

/** Writes down a message whose deliveries have ended so. */
async function finished(
  url: string | null,
  states: readonly ('sent' | 'failed' | 'dead' | 'recalled' | 'cancelled')[] = ['sent'],
  more: { readonly opaque?: string | number; readonly maybeTwice?: boolean } = {},
): Promise<string> {
  const id = newId(now);
  await db
    .insertInto('messages')
    .values({
      id,
      app: 'ci',
      lane: 'normal',
      kind: 'text',
      content: '{"text":"x"}',
      opaque: more.opaque === undefined ? null : storeOpaque(more.opaque),
      request_hash: '0'.repeat(64),
      callback_url: url,
      receivers: states.length,
      open: 0,
      created_at: now,
      send_at: now,
      finished_at: now,
    } as never)
    .execute();
  await db
    .insertInto('deliveries')
    .values(
      states.map((state, index) => ({
        message_id: id,
        receiver: `user:u${index}`,
        state,
        since: now,
        due_at: now,
        maybe_twice: more.maybeTwice === true ? 1 : 0,
        ...(state === 'failed' && { errcode: '60111', problem: 'there is no such userid' }),
        ...(state === 'dead' && { errcode: 'lost', problem: 'no answer' }),
      })) as never,
    )
    .execute();
  return id;
}

const note = (teller: ResultTeller, ...ids: readonly string[]) =>
  db.transaction().execute((tx) => teller.note(tx, ids));
const rowOf = (id: string) =>
  db.selectFrom('result_callbacks').selectAll().where('message_id', '=', id).executeTakeFirstOrThrow();
const state = (id: string) =>
  expect.poll(async () => (await rowOf(id)).state, { timeout: 20_000, interval: 10 });
/** Waits until a try has been noted as failed for that many times. */
const tried = async (id: string, tries: number) => {
  await until(async () => expect(await rowOf(id)).toMatchObject({ tries, lease_owner: null }));
  return rowOf(id);
};

describe('a result callback', () => {
  test('gives a number back as a number', async () => {
    const teller = replica();
    const id = await finished(address(inbox), ['sent'], { opaque: 7 });
    await note(teller, id);
    teller.start();
    await state(id).toBe('told');
    expect(inbox.arrived.map(({ json }) => (json as { opaque: unknown }).opaque)).toEqual([7]);
  });

  test('tells what became of the message, with what the app gave along', async () => {
    const teller = replica();
    const id = await finished(address(inbox), ['sent', 'failed', 'dead', 'recalled'], {
      opaque: 'order 7',
      maybeTwice: true,
    });
    await note(teller, id);
    teller.start();
    await state(id).toBe('told');
    expect(inbox.arrived.map(({ json }) => json)).toEqual([
      {
        id,
        state: 'partial',
        opaque: 'order 7',
        receivers: { total: 4, sent: 1, failed: 1, dead: 1, recalled: 1, cancelled: 0 },
        failures: [
          { receiver: 'user:u1', state: 'failed', errcode: 60111, problem: 'there is no such userid' },
          { receiver: 'user:u2', state: 'dead', errcode: 'lost', problem: 'no answer' },
        ],
        maybeTwice: true,
        finishedAt: new Date(START).toISOString(),
      },
    ]);
    await until(() => expect(calls).toEqual(['delivered']));
  });

  test.each([
    ['sent', ['sent', 'sent']],
    ['partial', ['sent', 'failed']],
    ['failed', ['failed', 'recalled']],
    ['dead', ['dead', 'failed']],
    ['recalled', ['recalled', 'cancelled']],
    ['cancelled', ['cancelled']],
  ] as const)('says %s of %j', async (word, states) => {
    const teller = replica();
    const id = await finished(address(inbox), states);
    await note(teller, id);
    teller.start();
    await state(id).toBe('told');
    expect(inbox.arrived[0]?.json).toMatchObject({ state: word, maybeTwice: false });
  });

  test('is signed as a result, over what is really sent', async () => {
    const teller = replica();
    const id = await finished(address(inbox, '/hook/%E5%A5%BD?b=2&a=1'));
    await note(teller, id);
    teller.start();
    await state(id).toBe('told');
    const [{ method, target, headers, body } = expect.fail('nothing arrived')] = inbox.arrived;
    const [timestamp, nonce] = [headers['x-keypad-timestamp'], headers['x-keypad-nonce']];
    const contentHash = hash('sha256', body);
    const text = ['keypad-push-result-1', method, target, timestamp, nonce, contentHash].join('\n');
    expect([method, target]).toEqual(['POST', '/hook/%E5%A5%BD?b=2&a=1']);
    expect(timestamp).toBe(`${START / 1000}`);
    expect(nonce).toMatch(/^[A-Za-z0-9_-]{8,64}$/);
    const said = { 'x-keypad-app': 'ci', 'x-keypad-content-sha256': contentHash };
    expect(headers).toMatchObject({ ...said, 'content-type': 'application/json' });
    expect(headers['x-keypad-signature']).toBe(
      createHmac('sha256', 'the-key-of-ci').update(text).digest('hex'),
    );
    expect(JSON.stringify(headers)).not.toContain('the-key-of-ci');
  });

  test('lists at most a hundred failures', async () => {
    const teller = replica();
    const id = await finished(
      address(inbox),
      Array.from({ length: 101 }, () => 'failed' as const),
    );
    await note(teller, id);
    teller.start();
    await state(id).toBe('told');
    expect(inbox.arrived[0]?.json).toMatchObject({ receivers: { failed: 101 } });
    expect(inbox.arrived[0]?.json.failures).toHaveLength(100);
  });

  test('is for messages with an address only, and not before their transaction is committed', async () => {
    const teller = replica();
    const [silent, undone] = [await finished(null), await finished(address(inbox))];
    await note(teller, silent);
    const stop = new Error('rolled back');
    const work = db.transaction().execute(async (tx) => {
      await teller.note(tx, [undone]);
      throw stop;
    });
    await expect(work).rejects.toBe(stop);
    expect(await db.selectFrom('result_callbacks').selectAll().execute()).toEqual([]);
  });

  test('is tried again at its time, without a look', async () => {
    const { setTimeout: begin } = globalThis;
    const due: (() => void)[] = [];
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((work: () => void, ms = 0) => {
      if (ms !== 500) return begin(work, ms);
      due.push(work);
      return begin(() => {}, 0);
    }) as typeof setTimeout);
    const teller = replica(3_600_000);
    inbox.answer = (_arrived, response) => response.writeHead(inbox.arrived.length === 1 ? 500 : 200).end();
    await note(teller, await finished(address(inbox)));
    teller.start();
    await expect.poll(() => due.length).toBe(1);
    now += 500;
    due[0]?.();
    await until(() => expect(calls).toEqual(['retried', 'delivered']));
    vi.restoreAllMocks();
  });

  test('is tried again after 0.5 s, 1 s, 2 s … and 15 min at most, until it is taken', async () => {
    const teller = replica();
    inbox.answer = (_arrived, response) => response.writeHead(503).end('secret');
    const id = await finished(address(inbox));
    await note(teller, id);
    teller.start();
    const waits: number[] = [];
    for (let tries = 1; tries <= 13; tries += 1) {
      const { due_at, last_error } = await tried(id, tries);
      expect(last_error).toBe('HTTP 503');
      waits.push((due_at ?? 0) - now);
      now = due_at ?? 0;
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16e3, 32e3, 64e3, 128e3, 256e3, 512e3, 900e3, 900e3]);
    await tried(id, 14);
    inbox.answer = (_arrived, response) => response.writeHead(204).end();
    now += 900_000;
    await state(id).toBe('told');
    await until(() => expect(calls).toEqual([...Array.from({ length: 14 }, () => 'retried'), 'delivered']));
    const nonces = inbox.arrived.map(({ headers }) => headers['x-keypad-nonce']);
    expect(new Set(nonces).size).toBe(15);
  });

  test('is given up after a day', async () => {
    const teller = replica();
    inbox.answer = (_arrived, response) => response.destroy();
    const id = await finished(address(inbox));
    await note(teller, id);
    now += 86_400_000 - 1000;
    teller.start();
    await tried(id, 1);
    now += 500;
    await state(id).toBe('lost');
    expect(await rowOf(id)).toMatchObject({ due_at: null, done_at: now, tries: 2 });
    await until(() => expect(calls).toEqual(['retried', 'expired']));
  });

  test('follows no redirect', async () => {
    const teller = replica();
    inbox.answer = (_arrived, response) => response.writeHead(307, { location: address(other) }).end();
    const id = await finished(address(inbox));
    await note(teller, id);
    teller.start();
    expect(await tried(id, 1)).toMatchObject({ last_error: 'HTTP 307' });
    expect(other.arrived).toEqual([]);
  });

  test('is delivered with the status, whether or not the rest of the answer comes', async () => {
    const teller = replica();
    inbox.answer = (_arrived, response) => void response.writeHead(200).write('a'.repeat(100_000));
    await note(teller, await finished(address(inbox)));
    teller.start();
    await until(() => expect(calls).toEqual(['delivered']));
  });

  test('goes to no host that is not on the list, also when it was taken off between two tries', async () => {
    const teller = replica();
    inbox.answer = (_arrived, response) => response.writeHead(500).end();
    const id = await finished(address(inbox));
    await note(teller, id);
    teller.start();
    await tried(id, 1);
    hosts = ['127.0.0.2'];
    now += 500;
    await state(id).toBe('refused');
    expect(inbox.arrived).toHaveLength(1);
    const login = await finished(address(other).replace('http://', 'http://user:secret@'));
    await note(teller, login);
    await state(login).toBe('refused');
    expect(other.arrived).toEqual([]);
    await until(() => expect(calls).toEqual(['retried', 'refused', 'refused']));
  });

  test('waits while the app has no key to sign with', async () => {
    const teller = replica();
    key = undefined;
    const id = await finished(address(inbox));
    await note(teller, id);
    teller.start();
    await tried(id, 1);
    expect(inbox.arrived).toEqual([]);
    key = 'a-new-key';
    now += 500;
    await state(id).toBe('told');
  });

  test('comes again for a message that was sent again, also when that ends while the first is being told', async () => {
    const teller = replica();
    const id = await finished(address(inbox), ['failed']);
    inbox.answer = async (_arrived, response) => {
      inbox.answer = (_next, last) => last.end();
      await db.updateTable('deliveries').set({ state: 'sent' }).where('message_id', '=', id).execute();
      await note(teller, id);
      response.end();
    };
    await note(teller, id);
    teller.start();
    await until(() => expect(inbox.arrived.map(({ json }) => json.state)).toEqual(['failed', 'sent']));
    await state(id).toBe('told');
  });

  test('is not made for a message that is open again', async () => {
    const teller = replica();
    const id = await finished(address(inbox), ['dead']);
    await note(teller, id);
    await db.updateTable('messages').set({ open: 1 }).where('id', '=', id).execute();
    teller.start();
    await state(id).toBe('void');
    expect(inbox.arrived).toEqual([]);
  });

  test('is removed a week after it was made', async () => {
    const teller = replica();
    const id = await finished(address(inbox));
    await note(teller, id);
    teller.start();
    await state(id).toBe('told');
    now += 7 * 86_400_000;
    await teller.prune();
    await rowOf(id);
    now += 1;
    await teller.prune();
    await expect(rowOf(id)).rejects.toThrow();
  });
});

describe('replicas that tell', () => {
  test('make each callback once between them', async () => {
    const all = [replica(), replica()];
    const ids = await Promise.all(Array.from({ length: 60 }, () => finished(address(inbox))));
    const [first = expect.fail('no replica')] = all;
    await note(first, ...ids);
    for (const each of all) each.start();
    await until(() => expect(calls).toHaveLength(60));
    expect(inbox.arrived.map(({ json }) => json.id).sort()).toEqual([...ids].sort());
  });

  test('take over what another held when it died', async () => {
    const [dead, heir] = [replica(), replica()];
    const { promise: asked, resolve } = Promise.withResolvers<ServerResponse>();
    inbox.answer = (_arrived, response) => resolve(response);
    const id = await finished(address(inbox));
    await note(dead, id);
    dead.start();
    const silent = await asked;
    inbox.answer = (_arrived, response) => response.end();
    now += 30_000;
    heir.start();
    await state(id).toBe('told');
    expect(inbox.arrived).toHaveLength(2);
    silent.end();
  });

  test('are held up by no host that does not answer, and ask it four times at once at most', async () => {
    const teller = replica();
    const held: (() => void)[] = [];
    other.answer = (_arrived, response) => void held.push(() => response.end());
    const slow = await Promise.all(Array.from({ length: 100 }, () => finished(address(other))));
    await note(teller, ...slow);
    now += 1;
    const quick = await Promise.all(Array.from({ length: 10 }, () => finished(address(inbox))));
    await note(teller, ...quick);
    teller.start();
    await until(() => expect(inbox.arrived).toHaveLength(10));
    await until(() => expect(held).toHaveLength(4));
    for (const release of held.splice(0)) release();
    await until(() => expect(other.arrived).toHaveLength(8));
    other.answer = (_arrived, response) => response.end();
    for (const release of held.splice(0)) release();
    await until(() => expect(other.arrived).toHaveLength(100));
  });
});
