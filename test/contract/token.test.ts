import { createHash, createHmac, generateKeyPairSync, randomUUID } from 'node:crypto';
import { CompactSign, SignJWT } from 'jose';
import { describe, expect, test } from 'vitest';
import { makeKeyPair, readSigningKey, readVerifyingKeys } from '../../src/contract/keys.ts';
import { signToken, verifyReportToken, verifyToken } from '../../src/contract/token.ts';

const NOW = 1_767_225_600_000;
const SECONDS = NOW / 1000;
const pair = await makeKeyPair();
const key = readSigningKey(pair.signingKey);
const keys = readVerifyingKeys(pair.verifyingKeys);
const use = { operation: 'k8s.scale', body: '{"a":1}', now: NOW };
const request = { ...use, subject: 'zhangsan', id: randomUUID() };

/** A token signed by the true key whose claims differ where told. */
function forged(changes: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> {
  const honest = {
    iss: 'keypad-bot',
    aud: 'keypad-ops',
    sub: 'zhangsan',
    iat: SECONDS,
    exp: SECONDS + 60,
    jti: randomUUID(),
    op: 'k8s.scale',
    bsha: createHash('sha256').update(use.body).digest('base64url'),
  };
  const protectedHeader = { alg: 'EdDSA', kid: key.kid, typ: 'keypad-op+jwt', ...header };
  return new SignJWT({ ...honest, ...changes }).setProtectedHeader(protectedHeader).sign(key.key);
}

function encoded(part: unknown): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

async function refusal(token: string, against: Partial<typeof use> = {}): Promise<unknown> {
  return verifyToken(keys, token, { ...use, ...against }).catch((error: unknown) => error);
}

describe('the token of a report', () => {
  const reported = { ...use, operation: 'reports' };

  test('speaks for no user, and for that reason for no operation', async () => {
    const token = await signToken(key, { ...reported, id: request.id });
    expect(await verifyReportToken(keys, token, reported)).toMatchObject({ jti: request.id, op: 'reports' });
    await expect(verifyToken(keys, token, reported)).rejects.toMatchObject({ reason: 'token' });
    await expect(verifyReportToken(keys, token, use)).rejects.toMatchObject({ reason: 'token' });
  });

  test('names no user', async () => {
    const token = await signToken(key, { ...reported, id: request.id, subject: 'zhangsan' });
    await expect(verifyReportToken(keys, token, reported)).rejects.toMatchObject({ reason: 'token' });
  });
});

describe('a token', () => {
  test('says who asks for what, for one minute', async () => {
    const claims = await verifyToken(keys, await signToken(key, { ...request, departments: [7] }), use);
    expect(claims).toMatchObject({ sub: 'zhangsan', jti: request.id, op: 'k8s.scale', departments: [7] });
    expect(claims.exp - claims.iat).toBe(60);
  });

  test.each([
    ['ZhangSan', 'zhangsan'],
    ['wecom-callback/shop/ZhangSan', 'wecom-callback/shop/zhangsan'],
    ['wecom-callback/default/zhangsan', 'zhangsan'],
  ])('is for %s, which is compared as %s', async (subject, sub) => {
    expect((await verifyToken(keys, await signToken(key, { ...request, subject }), use)).sub).toBe(sub);
  });

  test('is verified by every listed key, so that keys can rotate', async () => {
    const next = await makeKeyPair();
    const both = readVerifyingKeys({ keys: [...pair.verifyingKeys.keys, ...next.verifyingKeys.keys] });
    for (const signingKey of [pair.signingKey, next.signingKey]) {
      const token = await signToken(readSigningKey(signingKey), request);
      expect((await verifyToken(both, token, use)).sub).toBe('zhangsan');
    }
  });

  test.each([0, 4.9])('may be signed by a clock that is %s s ahead', async (ahead) => {
    const token = await signToken(key, { ...request, now: NOW + ahead * 1000 });
    expect((await verifyToken(keys, token, use)).sub).toBe('zhangsan');
  });
});

describe('a token is refused', () => {
  const cases: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ['from another issuer', { iss: 'someone' }, 'iss'],
    ['for another audience', { aud: 'someone' }, 'aud'],
    ['for a list of audiences', { aud: ['keypad-ops', 'someone'] }, 'aud'],
    ['from the future', { iat: SECONDS + 6, exp: SECONDS + 60 }, '未来'],
    ['when expired', { iat: SECONDS - 60, exp: SECONDS }, '过期'],
    ['when too long-lived', { exp: SECONDS + 61 }, '有效期'],
    ['for another operation', { op: 'k8s.restart' }, '另一个操作'],
    ['for the preview instead of the run', { op: 'k8s.scale/preview' }, '另一个操作'],
    ['for another body', { bsha: 'AAAA' }, '请求内容'],
    ['whose id is no UUID', { jti: '1' }, 'jti'],
    ['without an id', { jti: undefined }, 'jti'],
    ['without an end', { exp: undefined }, 'exp'],
    ['for what is no userid', { sub: 'a b' }, 'sub'],
    ['for a user of a channel that the platform does not know', { sub: 'pigeon/loft/zhangsan' }, 'sub'],
    ['for a user of an account whose name is none', { sub: 'wecom-callback/Shop/zhangsan' }, 'sub'],
    ['for a user with a slash', { sub: 'wecom-callback/shop/zhang/san' }, 'sub'],
    ['for the bot itself, which has no rights of its own', { sub: '@bot' }, 'sub'],
    ['with a claim that nobody knows', { admin: true }, '格式'],
  ];
  test.each(cases)('%s', async (_name, changes, sentence) => {
    expect(await verifyToken(keys, await forged({}), use)).toMatchObject({ sub: 'zhangsan' });
    expect(await refusal(await forged(changes))).toMatchObject({
      reason: 'token',
      message: expect.stringContaining(sentence),
    });
  });

  test('when the body was changed on the way', async () => {
    expect(await refusal(await signToken(key, request), { body: '{"a":2}' })).toMatchObject({
      reason: 'token',
    });
  });

  test('by an unknown key, also under a known kid', async () => {
    const other = readSigningKey((await makeKeyPair()).signingKey);
    expect(await refusal(await signToken(other, request))).toMatchObject({
      message: expect.stringContaining('未知的密钥'),
    });
    expect(await refusal(await signToken({ ...other, kid: key.kid }, request))).toMatchObject({
      message: expect.stringContaining('签名不对'),
    });
  });

  test('whose content is no JSON', async () => {
    const signing = new CompactSign(Buffer.from('x')).setProtectedHeader({
      alg: 'EdDSA',
      kid: key.kid,
      typ: 'keypad-op+jwt',
    });
    expect(await refusal(await signing.sign(key.key))).toMatchObject({
      reason: 'token',
      message: expect.stringContaining('格式'),
    });
  });

  test.each(['', 'JWT', 'keypad-report+jwt', 'KEYPAD-OP+JWT', 'application/keypad-op+jwt'])(
    'that was signed for another purpose: %s',
    async (typ) => {
      expect(await refusal(await forged({}, { typ }))).toMatchObject({
        reason: 'token',
        message: expect.stringContaining('不是为此签发的'),
      });
    },
  );

  test('is taken from a bot of version 0.1.0, which does not say what it is for', async () => {
    const token = await forged({}, { typ: undefined });
    expect(await verifyToken(keys, token, use)).toMatchObject({ op: use.operation });
  });

  test('for a report when it is an operation’s, whatever it claims', async () => {
    const reported = { ...use, operation: 'reports' };
    const token = (typ: string) => forged({ sub: undefined, op: 'reports' }, { typ });
    expect(await verifyReportToken(keys, await token('keypad-report+jwt'), reported)).toMatchObject({
      op: 'reports',
    });
    await expect(verifyReportToken(keys, await token('keypad-op+jwt'), reported)).rejects.toThrow(
      '不是为此签发的',
    );
  });

  test('with alg none', async () => {
    const [, payload] = (await forged({})).split('.');
    for (const alg of ['none', 'None', 'NONE']) {
      const token = `${encoded({ alg, kid: key.kid })}.${payload}.`;
      expect(await refusal(token)).toMatchObject({ reason: 'token' });
    }
  });

  test('with HS256 and the public key as the secret', async () => {
    const [, payload] = (await forged({})).split('.');
    const publicKey = keys.get(key.kid);
    const secrets = [
      publicKey?.export({ format: 'der', type: 'spki' }),
      publicKey?.export({ format: 'pem', type: 'spki' }),
      Buffer.from(pair.verifyingKeys.keys[0]?.x ?? '', 'base64url'),
    ];
    for (const secret of secrets) {
      const signed = `${encoded({ alg: 'HS256', kid: key.kid })}.${payload}`;
      const mac = createHmac('sha256', secret ?? '')
        .update(signed)
        .digest('base64url');
      expect(await refusal(`${signed}.${mac}`)).toMatchObject({
        message: expect.stringContaining('算法'),
      });
    }
  });

  test('in another spelling than the one that was signed', async () => {
    const token = await signToken(key, request);
    const next = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const last = next[next.indexOf(token.at(-1) ?? '') + 1] ?? '';
    const spelt = [
      `${token} `,
      `${token}=`,
      ` ${token}`,
      token.replaceAll('.', ' .'),
      `${token.slice(0, -1)}${last}`,
    ];
    for (const each of spelt) expect(await refusal(each), each).toMatchObject({ reason: 'token' });
  });

  test('with an extension that must be understood', async () => {
    const [, payload, signature] = (await forged({})).split('.');
    const header = encoded({ alg: 'EdDSA', kid: key.kid, crit: ['exp'], exp: 1 });
    expect(await refusal(`${header}.${payload}.${signature}`)).toMatchObject({ reason: 'token' });
  });

  test.each(['', 'a', 'a.b.c', '..', 'e30.e30.e30', 'Bearer x', `${'a'.repeat(10_000)}.b.c`])(
    'when it is the garbage "%.20s"',
    async (token) => {
      expect(await refusal(token)).toMatchObject({ reason: 'token' });
    },
  );
});

describe('keys', () => {
  test('the platform takes no private key, no other curve, no two keys of one kid', async () => {
    const [publicJwk] = pair.verifyingKeys.keys;
    expect(() => readVerifyingKeys({ keys: [pair.signingKey] })).toThrow(/public/);
    expect(() => readVerifyingKeys({ keys: [] })).toThrow(/JWKS/);
    expect(() => readVerifyingKeys({ keys: [publicJwk, publicJwk] })).toThrow(/two verifying keys/);
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
    expect(() => readVerifyingKeys({ keys: [{ ...rsa, kid: 'rsa' }] })).toThrow(/Ed25519/);
  });

  test('the bot takes no public key and no pair that does not fit, and says so without the key', async () => {
    const other = await makeKeyPair();
    expect(() => readSigningKey(pair.verifyingKeys.keys[0])).toThrow(/private/);
    expect(() => readSigningKey({ ...pair.signingKey, x: other.signingKey.x })).toThrow(/fit together/);
    expect(() => readSigningKey({ ...pair.signingKey, d: 'short' })).toThrow(/^(?!.*short)/);
  });
});
