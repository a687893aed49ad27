import { createHash, createHmac, randomUUID } from 'node:crypto';
import { CompactSign } from 'jose';
import { expect, test } from 'vitest';
import { attacks } from '#test/size.ts';
import { makeKeyPair, readSigningKey, readVerifyingKeys } from '../../src/contract/keys.ts';
import { signToken, verifyReportToken, verifyToken } from '../../src/contract/token.ts';
import { Refused } from '../../src/errors.ts';
import { type Chance, createChance } from './chance.ts';

const NOW = 1_767_225_600_000;
const SECONDS = NOW / 1000;
const pair = await makeKeyPair();
const key = readSigningKey(pair.signingKey);
const other = readSigningKey((await makeKeyPair()).signingKey);
const keys = readVerifyingKeys(pair.verifyingKeys);
const use = { operation: 'k8s.scale', body: '{"a":1}', now: NOW };
const ODD = ['.', '=', ' ', 'é', 'A', '-', '_', '\0', 'e30', '..'];

const honest = () => signToken(key, { ...use, subject: 'zhangsan', id: randomUUID() });
const encoded = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');
const claims = (changes: Record<string, unknown>) => ({
  iss: 'keypad-bot',
  aud: 'keypad-ops',
  sub: 'zhangsan',
  iat: SECONDS,
  exp: SECONDS + 60,
  jti: randomUUID(),
  op: use.operation,
  bsha: createHash('sha256').update(use.body).digest('base64url'),
  ...changes,
});
const signed = (changes: Record<string, unknown>, header: Record<string, unknown> = {}, by = key) =>
  new CompactSign(Buffer.from(JSON.stringify(claims(changes))))
    .setProtectedHeader({ alg: 'EdDSA', kid: key.kid, typ: 'keypad-op+jwt', ...header })
    .sign(by.key);

/** Each makes a token that must not be taken. */
const KINDS: Readonly<Record<string, (chance: Chance) => Promise<string> | string>> = {
  'without a signature': ({ pick }) =>
    `${encoded({ alg: pick(['none', 'None', 'nOnE', '', null, 'HS256']), kid: key.kid })}.${encoded(claims({}))}.`,
  'signed with the public key as a secret': ({ pick }) => {
    const text = `${encoded({ alg: pick(['HS256', 'EdDSA']), kid: key.kid })}.${encoded(claims({}))}`;
    const secret = pick<string | Buffer>([
      pair.verifyingKeys.keys[0]?.x ?? '',
      Buffer.from(pair.verifyingKeys.keys[0]?.x ?? '', 'base64url'),
    ]);
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  },
  'by another key': () => signed({}, {}, other),
  'by another key that it brings with it': () =>
    signed({}, { jwk: other.key.export({ format: 'jwk' }) }, other),
  'by a key of another name': ({ pick }) =>
    signed(
      {},
      { kid: pick(['', '__proto__', 'constructor', '../key', `${key.kid} `, key.kid.toUpperCase()]) },
      other,
    ),
  'from or for others': ({ pick }) =>
    signed(
      pick<Record<string, unknown>>([
        { iss: 'keypad-ops' },
        { aud: 'keypad-bot' },
        { aud: ['keypad-ops'] },
        { iss: 'keypad-bot ' },
        { aud: undefined },
      ]),
    ),
  'for another operation': ({ pick }) =>
    signed({ op: pick(['k8s.restart', 'k8s.scale/preview', 'K8S.SCALE', 'k8s.scale ', '', ['k8s.scale']]) }),
  'for another body': ({ pick }) =>
    signed({ bsha: pick([createHash('sha256').update('{"a":2}').digest('base64url'), '', 'AAAA']) }),
  'of another purpose': ({ pick }) => {
    const typ = pick(['', 'JWT', 'keypad-op', 'keypad-op+jwt ', 'KEYPAD-OP+JWT', 'keypad-report+jwt']);
    return signed({}, { typ });
  },
  'out of its time': ({ pick, below }) =>
    signed(
      pick<Record<string, unknown>>([
        { iat: SECONDS + 6 + below(1e6), exp: SECONDS + 60 },
        { iat: SECONDS - 60, exp: SECONDS - below(1e6) },
        { exp: SECONDS + 61 + below(1e9) },
        { exp: '1767225660' },
        { iat: SECONDS + 0.5 },
        { exp: 1e300 },
      ]),
    ),
  'for nobody, or for more': ({ pick }) =>
    signed(
      pick<Record<string, unknown>>([
        { sub: '' },
        { sub: ['zhangsan'] },
        { sub: '@bot' },
        { admin: true },
        { departments: ['1'] },
        { departments: [-1] },
      ]),
    ),
  'with an id that is none': ({ pick }) => signed({ jti: pick([undefined, '', 1, 'x', `${randomUUID()} `]) }),
  'with an extension': ({ pick }) =>
    signed(
      {},
      pick<Record<string, unknown>>([{ crit: ['x'], x: 1 }, { crit: [] }, { b64: false, crit: ['b64'] }]),
    ).catch(() => ''),
  'of pieces of two': async ({ pick }) => {
    const [a, b] = [(await honest()).split('.'), (await signed({ sub: 'wangwu' })).split('.')];
    return pick([
      [a[0], b[1], a[2]],
      [a[0], a[1], b[2]],
    ]).join('.');
  },
  mutated: async ({ mutate }) => {
    const token = await honest();
    const changed = mutate(token, ODD);
    return changed === token ? '' : changed;
  },
};

test('none of these tokens is taken, and each is refused in one sentence', async () => {
  const chance = createChance('tokens');
  const names = Object.keys(KINDS);
  for (let tried = attacks(600, 30_000); tried > 0; tried -= 1) {
    const name = names[tried % names.length] as string;
    const token = await (KINDS[name] as (chance: Chance) => Promise<string> | string)(chance);
    for (const verify of [verifyToken, verifyReportToken]) {
      const outcome = await verify(keys, token, use).catch((error: unknown) => error);
      const isRefused = outcome instanceof Refused && outcome.reason === 'token';
      if (!isRefused) throw new Error(`SEED=${chance.seed}, ${name}: ${token}`, { cause: outcome });
    }
  }
  expect(await verifyToken(keys, await honest(), use)).toMatchObject({ sub: 'zhangsan' });
});
