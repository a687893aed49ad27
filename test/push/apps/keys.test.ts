import { randomUUID } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPushDatabase } from '#test/push-database.ts';
import { createKeys, type Keys } from '../../../src/push/apps/keys.ts';
import {
  deriveEarlyKey,
  deriveKey,
  hashOf,
  isSignedWith,
  sign,
  signRequest,
  signResult,
} from '../../../src/push/apps/signature.ts';
import type { Database } from '../../../src/push/database/database.ts';
import { createAdmission } from '../../../src/push/http/admission.ts';
import { Refusal } from '../../../src/push/http/route.ts';
import { createLog } from '../../../src/server/log.ts';

const masterKey = 'a master key of the tests, 32 characters long';
const clock = { now: Date.UTC(2026, 10, 21, 8) };
const now = () => clock.now;
let db: Database;
let keys: Keys;
let drop: () => Promise<void>;

beforeAll(async () => {
  ({ db, drop } = await openPushDatabase());
  keys = createKeys({ db, masterKey, now });
});
afterAll(() => drop());

/** Why a GET of /v1/a with these headers is refused; undefined when it is let in. */
async function refusalOf(by: Keys, headers: Readonly<Record<string, string>>): Promise<string | undefined> {
  const rates = { take: () => 0 };
  const admit = createAdmission({ keys: by, rates, now });
  const request = { headers, raw: { method: 'GET', url: '/v1/a' } };
  try {
    await admit(request as unknown as FastifyRequest);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

/** Whether a request signed like this is let in by these keys. */
async function isLetIn(by: Keys, app: string, key: string, nonce: string = randomUUID()): Promise<boolean> {
  const signed = { method: 'GET', target: '/v1/a', now: now(), nonce };
  return (await refusalOf(by, signRequest({ app, key }, signed))) === undefined;
}

test('the signature is what openssl makes of the same six lines', () => {
  // printf 'keypad-push-request-1\nPOST\n/v1/messages?a=1\n1763712000\nnonce-0001\n<sha256 of {}>' | openssl dgst -sha256 -hmac key
  const signed = {
    purpose: 'request' as const,
    method: 'POST',
    target: '/v1/messages?a=1',
    timestamp: '1763712000',
    nonce: 'nonce-0001',
    bodyHash: '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
  };
  expect(hashOf('{}')).toBe(signed.bodyHash);
  expect(sign('key', signed)).toBe('6b8e2a319c4ea9b76700537f328a929a487aac6e8e933cc0cc3cefa3b601c333');
  expect(isSignedWith('key', signed, sign('key', signed))).toBe(true);
  for (const other of [
    '',
    '6b8e2a319c4ea9b76700537f328a929a487aac6e8e933cc0cc3cefa3b601c333'.slice(1),
    `${sign('key', signed)}0`,
    sign('key2', signed),
  ]) {
    expect(isSignedWith('key', signed, other)).toBe(false);
  }
});

test('what message delivery signs for an app is no request of that app, and the other way round', async () => {
  const { key } = await keys.create({ app: 'told', scopes: ['text'] });
  clock.now += 2000;
  const heard = { method: 'GET', target: '/v1/a', now: now(), nonce: randomUUID() };
  expect(await refusalOf(keys, signResult({ app: 'told', key }, heard))).toContain('signature is not right');
  expect(await refusalOf(keys, signRequest({ app: 'told', key }, heard))).toBeUndefined();
  const line = { method: 'POST', target: '/hook', timestamp: '1', nonce: 'nonce-0001', bodyHash: hashOf('') };
  const signature = sign(key, { ...line, purpose: 'request' });
  expect(isSignedWith(key, { ...line, purpose: 'request' }, signature)).toBe(true);
  expect(isSignedWith(key, { ...line, purpose: 'result' }, signature)).toBe(false);
});

describe('keys of an app', () => {
  test('of the first builds, which named no purpose when they made one, stay valid', async () => {
    const { keyId } = await keys.create({ app: 'veteran', scopes: ['text'] });
    const key = deriveEarlyKey(masterKey, 'veteran', keyId);
    expect(deriveKey(masterKey, 'veteran', keyId)).not.toBe(key);
    const change = db.updateTable('app_keys').set({ key_hash: hashOf(key) });
    await change.where('app_id', '=', 'veteran').execute();
    clock.now += 2000;
    expect(await isLetIn(keys, 'veteran', key)).toBe(true);
    expect(await isLetIn(keys, 'veteran', deriveKey(masterKey, 'veteran', keyId))).toBe(false);
  });

  test('two are valid while they are rotated, and the third retires the oldest', async () => {
    const first = await keys.create({ app: 'rotating', scopes: ['text'] });
    const second = await keys.rotate('rotating');
    clock.now += 2000;
    expect(await isLetIn(keys, 'rotating', first.key)).toBe(true);
    expect(await isLetIn(keys, 'rotating', second.key)).toBe(true);
    const third = await keys.rotate('rotating');
    clock.now += 2000;
    expect(third.retired).toEqual([first.keyId]);
    expect(await isLetIn(keys, 'rotating', first.key)).toBe(false);
    expect(await isLetIn(keys, 'rotating', second.key)).toBe(true);
    expect(await keys.newestKey('rotating')).toBe(third.key);
    await keys.retire('rotating', third.keyId);
    clock.now += 2000;
    expect(await isLetIn(keys, 'rotating', third.key)).toBe(false);
    expect(await keys.newestKey('rotating')).toBe(second.key);
    await expect(keys.retire('rotating', third.keyId)).rejects.toThrow('has no valid key');
  });

  test('two who rotate at once leave two valid keys', async () => {
    await keys.create({ app: 'racing', scopes: ['text'] });
    const made = await Promise.all([keys.rotate('racing'), keys.rotate('racing')]);
    const [listed] = (await keys.list()).filter(({ app }) => app === 'racing');
    expect(listed?.keys.map(({ keyId }) => keyId).toSorted()).toEqual(
      made.map(({ keyId }) => keyId).toSorted(),
    );
  });

  test('what stands in the database signs nothing', async () => {
    const { key } = await keys.create({ app: 'stolen', scopes: ['text'] });
    clock.now += 2000;
    const rows = await db.selectFrom('app_keys').selectAll().where('app_id', '=', 'stolen').execute();
    const apps = await db.selectFrom('apps').selectAll().execute();
    expect(JSON.stringify([rows, apps])).not.toContain(key);
    for (const word of rows.flatMap((row) => [row.key_hash, row.key_id, `${row.app_id}\n${row.key_id}`])) {
      expect(await isLetIn(keys, 'stolen', word)).toBe(false);
    }
    const thief = createKeys({ db, masterKey: 'a guess of what the master key may be', now });
    const { key: guess } = await thief.rotate('stolen');
    expect(await isLetIn(keys, 'stolen', guess)).toBe(false);
    expect(await isLetIn(keys, 'stolen', key)).toBe(true);
  });

  test('a changed master key lets nobody in, and the log says why once, without any key', async () => {
    const { key } = await keys.create({ app: 'moved', scopes: ['text'] });
    const lines: string[] = [];
    const log = createLog({ level: 'info', destination: { write: (line) => lines.push(line) } });
    const other = createKeys({ db, masterKey: 'another master key than the one before', now, log });
    expect(await isLetIn(other, 'moved', key)).toBe(false);
    clock.now += 2000;
    expect(await isLetIn(other, 'moved', key)).toBe(false);
    const about = lines.filter((line) => line.includes('"app":"moved"'));
    expect(about).toHaveLength(1);
    expect(about[0]).toContain('PUSH_MASTER_KEY');
    expect(lines.join('')).not.toContain(key);
  });
});

test('an app whose scopes this version does not know is shut out, and nobody else', async () => {
  const { key } = await keys.create({ app: 'newer', scopes: ['text'] });
  const { key: other } = await keys.create({ app: 'older', scopes: ['text'] });
  await db.updateTable('apps').set({ scopes: '["of the future"]' }).where('app_id', '=', 'newer').execute();
  clock.now += 2000;
  expect(await isLetIn(keys, 'newer', key)).toBe(false);
  expect(await isLetIn(keys, 'older', other)).toBe(true);
});

test('what an administrator changes works in every replica within 2 s', async () => {
  const replica = createKeys({ db, masterKey, now });
  const { key } = await keys.create({ app: 'switched', scopes: ['text'] });
  clock.now += 2000;
  expect(await isLetIn(replica, 'switched', key)).toBe(true);
  await keys.change('switched', { enabled: false });
  clock.now += 1999;
  expect(await isLetIn(replica, 'switched', key)).toBe(false);
  expect(await replica.newestKey('switched')).toBeUndefined();
  await keys.change('switched', { enabled: true, scopes: ['markdown'], perMinute: 7 });
  clock.now += 1999;
  expect(await isLetIn(replica, 'switched', key)).toBe(true);
  expect(await replica.find('switched')).toMatchObject({ perMinute: 7, scopes: { words: ['markdown'] } });
});

describe('what is wrong with an app is said', () => {
  test.each([
    [{ app: 'CI', scopes: ['text'] }, 'lower-case'],
    [{ app: 'x'.repeat(33), scopes: ['text'] }, '1 to 32'],
    [{ app: 'a', scopes: [] }, 'at least one scope'],
    [{ app: 'a', scopes: ['text'], perMinute: 0 }, 'limit a minute'],
    [{ app: 'a', scopes: ['text'], perMinute: Number.NaN }, 'limit a minute'],
    [{ app: 'a', scopes: ['text'], callbackHosts: ['https://a.b/c'] }, 'is no host'],
    [{ app: 'a', scopes: ['text'], callbackHosts: ['a:80'] }, 'is no host'],
  ])('%j', async (app, sentence) => {
    await expect(keys.create(app)).rejects.toThrow(sentence);
  });

  test('a taken id, and one that is not there', async () => {
    await keys.create({ app: 'once', scopes: ['text'] });
    await expect(keys.create({ app: 'once', scopes: ['text'] })).rejects.toThrow('already');
    await expect(keys.rotate('nobody')).rejects.toThrow('There is no app "nobody"');
    await expect(keys.change('nobody', { enabled: false })).rejects.toThrow('There is no app "nobody"');
    // Changed to what it is already.
    await keys.change('once', { enabled: true });
  });
});

describe('a nonce', () => {
  test('works once among many at the same time, in all replicas together', async () => {
    const { key } = await keys.create({ app: 'busy', scopes: ['text'] });
    clock.now += 2000;
    const replica = createKeys({ db, masterKey, now });
    const nonces = Array.from({ length: 50 }, () => randomUUID());
    const tries = nonces.flatMap((nonce) =>
      [keys, replica, keys].map(async (by) => ({ nonce, isIn: await isLetIn(by, 'busy', key, nonce) })),
    );
    const letIn = (await Promise.all(tries)).filter(({ isIn }) => isIn).map(({ nonce }) => nonce);
    expect(letIn.toSorted()).toEqual(nonces.toSorted());
  });

  test('of one app is free for another, in either case of letters', async () => {
    const [a, b] = [
      await keys.create({ app: 'a1', scopes: ['text'] }),
      await keys.create({ app: 'b1', scopes: ['text'] }),
    ];
    clock.now += 2000;
    expect(await isLetIn(keys, 'a1', a.key, 'nonce-0001')).toBe(true);
    expect(await isLetIn(keys, 'b1', b.key, 'nonce-0001')).toBe(true);
    expect(await isLetIn(keys, 'a1', a.key, 'NONCE-0001')).toBe(true);
    expect(await isLetIn(keys, 'a1', a.key, 'nonce-0001')).toBe(false);
  });

  test('is kept until its timestamp lets nothing in any more, and then forgotten', async () => {
    const { key } = await keys.create({ app: 'late', scopes: ['text'] });
    clock.now += 2000;
    const headers = signRequest(
      { app: 'late', key },
      { method: 'GET', target: '/v1/a', now: now() + 299_000, nonce: 'from-the-future' },
    );
    expect(await refusalOf(keys, headers)).toBeUndefined();
    clock.now += 598_000;
    await keys.prune();
    expect(await refusalOf(keys, headers)).toContain('Nonce');
    clock.now += 70_000;
    await keys.prune();
    expect(await refusalOf(keys, headers)).toContain('300 s');
    expect(await db.selectFrom('nonces').select('nonce').where('app', '=', 'late').execute()).toEqual([]);
  });

  test('that is over is forgotten in parts, and prune tells that there may be more', async () => {
    const row = (n: number) => ({ app: 'many', nonce: `n-${n}`, claim: '0'.repeat(16), expires_at: 1 });
    await db
      .insertInto('nonces')
      .values(Array.from({ length: 5001 }, (_, n) => row(n)))
      .execute();
    expect([await keys.prune(), await keys.prune()]).toEqual([true, false]);
    expect(await db.selectFrom('nonces').select('nonce').where('app', '=', 'many').execute()).toEqual([]);
  });

  test.each(['short-7', 'x'.repeat(65), 'with space', 'umlaut-ä1', "quote'----"])(
    '"%s" is none',
    async (nonce) => {
      const { key } = await keys.create({ app: 'odd', scopes: ['text'] }).catch(() => keys.rotate('odd'));
      clock.now += 2000;
      expect(await isLetIn(keys, 'odd', key)).toBe(true);
      expect(await isLetIn(keys, 'odd', key, nonce)).toBe(false);
    },
  );
});
