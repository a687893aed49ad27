import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCbc } from '../../../src/wecom/crypto/cbc.ts';

const bytes = randomBytes(32);
const key = createSecretKey(bytes);
const iv = bytes.subarray(0, 16);

test('whatever came before, a message comes out as from a cipher object of its own', () => {
  const cbc = createCbc(key, iv);
  const blocks = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((seed) => {
    const length = seed.length * 16;
    return Buffer.alloc(length, Buffer.from(seed));
  });
  const steps = fc.array(fc.tuple(fc.boolean(), blocks), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(steps, (messages) => {
      for (const [encrypts, message] of messages) {
        const before = Buffer.from(message);
        const fresh = (encrypts ? createCipheriv : createDecipheriv)('aes-256-cbc', key, iv).setAutoPadding(
          false,
        );
        const expected = Buffer.concat([fresh.update(message), fresh.final()]);
        expect(encrypts ? cbc.encrypt(message) : cbc.decrypt(message)).toEqual(expected);
        expect(message).toEqual(before);
      }
    }),
  );
});
