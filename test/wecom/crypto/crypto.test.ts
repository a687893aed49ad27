import { createCipheriv } from 'node:crypto';
import * as tencent from '@wecom/crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../../src/errors.ts';
import { createCipher, readEncodingAesKey } from '../../../src/wecom/crypto/cipher.ts';
import { vector, vectors } from './vectors.ts';

const demo = vector('S4');
const cipher = createCipher(demo);

describe.each(vectors)('vector $name', (one) => {
  const own = createCipher(one);

  test('has the signature that we compute', () => {
    expect(own.isSigned(one.signature, one.timestamp, one.nonce, one.encrypted)).toBe(true);
  });

  test('decrypts to its text', () => {
    expect(own.decrypt(one.encrypted)).toBe(one.text);
  });
});

test.each(vectors.filter(({ name }) => name.startsWith('S')))(
  'vector $name is what we encrypt, byte for byte',
  (one) => {
    const own = createCipher({ ...one, random: () => Buffer.from('0123456789abcdef') });
    expect(own.encrypt(one.text)).toBe(one.encrypted);
  },
);

test('a + of the base64 that became a space is neither signed nor decrypted', () => {
  const { signature, timestamp, nonce, encrypted } = vector('S3');
  const spoilt = encrypted.replaceAll('+', ' ');
  expect(spoilt).not.toBe(encrypted);
  expect(cipher.isSigned(signature, timestamp, nonce, spoilt)).toBe(false);
  expect(() => cipher.decrypt(spoilt)).toThrow(InputError);
});

test.each([
  ['empty', ''],
  ['one character short', demo.signature.slice(1)],
  ['one character long', `${demo.signature}0`],
  ['upper case', demo.signature.toUpperCase()],
  ['as long, but not as many bytes', '签'.repeat(40)],
  ['a digit that only looks alike', demo.signature.replace('1', 'ı')],
  ['last character changed', `${demo.signature.slice(0, -1)}4`],
])('a signature that is %s is refused', (_, signature) => {
  expect(cipher.isSigned(signature, demo.timestamp, demo.nonce, demo.encrypted)).toBe(false);
});

test('a changed timestamp, nonce or text is not signed', () => {
  const { signature, timestamp, nonce, encrypted } = demo;
  expect(cipher.isSigned(signature, `${timestamp}1`, nonce, encrypted)).toBe(false);
  expect(cipher.isSigned(signature, timestamp, 'other', encrypted)).toBe(false);
  expect(cipher.isSigned(signature, timestamp, nonce, encrypted.slice(4))).toBe(false);
});

test('a piece of one value is not taken for a piece of its neighbour', () => {
  const { timestamp } = demo;
  let signed = 0;
  for (let round = 0; round < 150; round += 1) {
    for (const nonce of ['1', '1597212914', 'zz']) {
      const encrypted = cipher.encrypt('x'.repeat(round));
      const signature = cipher.sign(timestamp, nonce, encrypted);
      for (let cut = 1; cut < encrypted.length; cut += 1) {
        const [head, tail] = [encrypted.slice(0, cut), encrypted.slice(cut)];
        for (const [time, other, rest] of [
          [timestamp, nonce + head, tail],
          [timestamp, tail + nonce, head],
          [timestamp + head, nonce, tail],
          [tail + timestamp, nonce, head],
        ] as const) {
          if (cipher.sign(time, other, rest) === signature) signed += 1;
          expect(cipher.isSigned(signature, time, other, rest)).toBe(false);
        }
      }
    }
  }
  expect(signed).toBeGreaterThan(1000);
});

test('what we encrypt we decrypt, at every length from 0 to 5000', () => {
  for (let length = 0; length <= 5000; length += 1) {
    const text = 'x'.repeat(length);
    expect(cipher.decrypt(cipher.encrypt(text)) === text, `length ${length}`).toBe(true);
  }
});

test('Tencent’s own package decrypts ours and we decrypt its', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
      const theirs = tencent.decrypt(demo.encodingAesKey, cipher.encrypt(text));
      expect({ message: theirs.message, id: theirs.id }).toEqual({ message: text, id: demo.receiveId });
      expect(cipher.decrypt(tencent.encrypt(demo.encodingAesKey, text, demo.receiveId))).toBe(text);
    }),
  );
});

test('two encryptions of one text differ', () => {
  expect(cipher.encrypt('1')).not.toBe(cipher.encrypt('1'));
});

test('the message of another corp is refused', () => {
  const other = createCipher({ ...demo, receiveId: 'ww0000000000000000' });
  expect(() => other.decrypt(demo.encrypted)).toThrow(/another receiver/);
  const longer = createCipher({ ...demo, receiveId: `${demo.receiveId}0` });
  expect(() => cipher.decrypt(longer.encrypt('hi'))).toThrow(/another receiver/);
});

test.each([
  ['nothing', ''],
  ['not base64', '!!!!'],
  ['a line end inside', `${demo.encrypted.slice(0, 64)}\n${demo.encrypted.slice(64)}`],
  ['url-safe letters', demo.encrypted.replaceAll('/', '_').replaceAll('+', '-')],
  ['no padding character', vector('S2').encrypted.slice(0, -1)],
  ['spare bits set', vector('S5').encrypted.replace('c=', 'd=')],
  ['half a block', Buffer.alloc(24).toString('base64')],
])('a ciphertext that is %s is refused', (_, encrypted) => {
  expect(() => cipher.decrypt(encrypted)).toThrow(/AES blocks in base64/);
});

describe('a plaintext that breaks a bound of §1.3', () => {
  const key = readEncodingAesKey(demo.encodingAesKey);
  /** Seals bytes as they are, so that the layout itself can be wrong. */
  function seal(plain: Buffer): string {
    const aes = createCipheriv('aes-256-cbc', key, key.subarray(0, 16)).setAutoPadding(false);
    return Buffer.concat([aes.update(plain), aes.final()]).toString('base64');
  }
  function lay(parts: { length: number; message?: Buffer; padding: Buffer }): string {
    const head = Buffer.alloc(20);
    head.writeUInt32BE(parts.length, 16);
    return seal(
      Buffer.concat([
        head,
        parts.message ?? Buffer.from('12345678901234567890123456'),
        Buffer.from(demo.receiveId),
        parts.padding,
      ]),
    );
  }
  const whole = Buffer.alloc(32, 32);

  test('is otherwise accepted, so that each case below fails for its own reason', () => {
    expect(cipher.decrypt(lay({ length: 26, padding: whole }))).toBe('12345678901234567890123456');
  });

  test.each([
    ['padding of 0', Buffer.alloc(32, 0)],
    ['padding of 48', Buffer.alloc(48, 48)],
    ['uneven padding', Buffer.concat([Buffer.from([1]), Buffer.alloc(31, 32)])],
  ])('%s is refused', (_, padding) => {
    expect(() => cipher.decrypt(lay({ length: 26, padding }))).toThrow(/padding/);
  });

  test('padding longer than the text is refused', () => {
    expect(() => cipher.decrypt(seal(Buffer.alloc(16, 32)))).toThrow(/padding/);
  });

  test('no room for a length is refused', () => {
    expect(() => cipher.decrypt(seal(Buffer.alloc(32, 32)))).toThrow(/too short/);
    expect(() => cipher.decrypt(seal(Buffer.alloc(32, 13)))).toThrow(/too short/);
  });

  test.each([27 + 18, 0x7fffffff, 0xffffffff])('a stated length of %d is refused', (length) => {
    expect(() => cipher.decrypt(lay({ length, padding: whole }))).toThrow(/length it states/);
  });

  test('invalid UTF-8 is refused', () => {
    const message = Buffer.alloc(26, 0xff);
    expect(() => cipher.decrypt(lay({ length: 26, message, padding: whole }))).toThrow(/UTF-8/);
  });
});

test('random bytes never crash it: they are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
      const blocks = Buffer.alloc(Math.ceil(bytes.length / 16) * 16, Buffer.from(bytes));
      expect(() => cipher.decrypt(blocks.toString('base64'))).toThrow(InputError);
    }),
  );
});

describe('an EncodingAESKey', () => {
  test('may have the two spare bits of its last character set', () => {
    expect(readEncodingAesKey(vector('A1').encodingAesKey).toString('hex')).toBe(
      '8d69989bbaabe67328014c194631ad0719b3dca035b64023df292447aab60760',
    );
  });

  test.each([
    ['42 characters', demo.encodingAesKey.slice(1)],
    ['44 characters', `${demo.encodingAesKey}A`],
    ['a +', `+${demo.encodingAesKey.slice(1)}`],
    ['a line end', `${demo.encodingAesKey.slice(1)}\n`],
    ['a line end after it', `${demo.encodingAesKey}\n`],
    ['nothing', ''],
  ])('with %s is refused', (_, key) => {
    expect(() => readEncodingAesKey(key)).toThrow(InputError);
    expect(() => createCipher({ ...demo, encodingAesKey: key })).toThrow(InputError);
  });
});
