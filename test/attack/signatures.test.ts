import { afterAll, expect, test } from 'vitest';
import * as z from 'zod';
import { attacks } from '#test/size.ts';
import { signatureHeaders, signResult } from '../../src/push/apps/signature.ts';
import { route } from '../../src/push/http/route.ts';
import { type ApiRequest, openApiHarness } from '../push/http/api-harness.ts';
import { type Chance, createChance } from './chance.ts';

let taken = 0;
const api = await openApiHarness(() => [
  route('POST /things', {
    summary: 'takes a thing',
    body: z.object({ a: z.number() }),
    answers: { 200: z.object({}) },
    async reply() {
      taken += 1;
      return {};
    },
  }),
]);
afterAll(api.stop);
const key = await api.newApp('ci', ['text'], { perMinute: 1_000_000 });
const otherKey = await api.newApp('other', ['text'], { perMinute: 1_000_000 });
const honest: ApiRequest = { method: 'POST', path: '/v1/things', json: { a: 1 } };
const { app, timestamp, nonce, signature, contentHash } = signatureHeaders;
const NAMES = [app, timestamp, nonce, signature, contentHash];
const ODD = ['\t', ' ', '0', 'F', 'ÿ', ',', ';', '\u00a0', '%20'];
let nonces = 0;

/** Each makes a request that must not be let in. */
const KINDS: Readonly<Record<string, (chance: Chance) => ApiRequest>> = {
  'a header left out': ({ pick }) => ({ ...honest, headers: { [pick(NAMES)]: undefined } }),
  'a header of something else': ({ pick }) => ({
    ...honest,
    headers: { [pick(NAMES)]: pick(['', '0', 'x'.repeat(64), '1'.repeat(64), '__proto__']) },
  }),
  'an app in other letters': ({ pick }) => ({
    ...honest,
    headers: { [app]: pick(['CI', 'Ci', 'ci,ci', 'other', 'ci\u00a0', '%63i']) },
  }),
  'the key of another app': () => ({ ...honest, key: otherKey }),
  'a key in other letters': ({ pick }) => ({
    ...honest,
    key: pick([key.toLowerCase(), ` ${key}`, `${key} `, '', key.slice(1)]),
  }),
  'another body than was signed': ({ pick }) => ({
    ...honest,
    signed: { body: pick(['{"a":2}', '{"a": 1}', '', '{"a":1}\n']) },
  }),
  'another method than was signed': ({ pick }) => ({
    ...honest,
    signed: { method: pick(['GET', 'post', 'PUT', '']) },
  }),
  'another target than was signed': ({ pick }) => ({
    ...honest,
    signed: {
      target: pick([
        '/v1/things?',
        '/v1/things/',
        '/V1/things',
        '/v1/%74hings',
        '//v1/things',
        'http://x/v1/things',
      ]),
    },
  }),
  'from another time': ({ pick, below }) => ({
    ...honest,
    at: api.clock.now + pick([-1, 1]) * (302_000 + below(1e9)),
  }),
  'a nonce that is none': ({ pick }) => ({
    ...honest,
    nonce: pick(['', 'short', 'x'.repeat(65), 'with space', 'umlaut-ü1', "quote'------"]),
  }),
  'signed as a result': () => {
    const body = JSON.stringify(honest.json);
    const target = honest.path;
    nonces += 1;
    return {
      ...honest,
      headers: signResult(
        { app: 'ci', key },
        { method: 'POST', target, body, now: api.clock.now, nonce: `result-${nonces}-x` },
      ),
    };
  },
  'a signature in capitals or with blanks': ({ pick }) => ({
    ...honest,
    headers: { [signature]: pick(['F'.repeat(64), 'f'.repeat(63), `${'f'.repeat(64)},${'f'.repeat(64)}`]) },
  }),
  'a header mutated': ({ pick, mutate }) => ({
    ...honest,
    headers: { [pick([signature, contentHash])]: mutate('a'.repeat(64), ODD) },
  }),
};

test('none of these requests is let in', async () => {
  expect((await api.say(honest)).status).toBe(200);
  const chance = createChance('signatures');
  const names = Object.keys(KINDS);
  for (let tried = attacks(400, 10_000); tried > 0; tried -= 1) {
    const name = names[tried % names.length] as string;
    const request = (KINDS[name] as (chance: Chance) => ApiRequest)(chance);
    const { status } = await api.say(request);
    if (status < 400 || status >= 500)
      throw new Error(`SEED=${chance.seed}, ${status} of ${name}: ${JSON.stringify(request)}`);
  }
  expect(taken).toBe(1);
});

test('of one nonce many at once are one request, and the order of the headers means nothing', async () => {
  const before = taken;
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => api.say({ ...honest, nonce: 'only-once' })),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect((await api.say({ ...honest, nonce: 'Only-once' })).status).toBe(200);
  const turned = Object.fromEntries(NAMES.toReversed().map((name) => [name, undefined]));
  expect((await api.say({ ...honest, headers: turned })).status).toBe(401);
  expect(taken).toBe(before + 2);
});
