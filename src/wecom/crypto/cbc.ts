import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';

const BLOCK = 16;
const ALGORITHM = 'aes-256-cbc';

/**
 * AES-256-CBC with one key and one IV; both directions take and give whole blocks of 16 bytes.
 * One cipher object each way for all messages: to make one costs more than to run it over a message.
 * CBC mixes each block with the ciphertext before it. Where a new message begins, the object still has the last
 * block of the one before in that place; mixing that out and the IV in gives what a new object would have given.
 */
export function createCbc(key: KeyObject, iv: Buffer) {
  const encipher = createCipheriv(ALGORITHM, key, iv).setAutoPadding(false);
  const decipher = createDecipheriv(ALGORITHM, key, iv).setAutoPadding(false);
  let lastEncrypted = iv;
  let lastDecrypted = iv;
  return {
    encrypt(plain: Buffer): Buffer {
      const encrypted = encipher.update(startingAnew(Buffer.from(plain), iv, lastEncrypted));
      lastEncrypted = encrypted.subarray(-BLOCK);
      return encrypted;
    },
    decrypt(encrypted: Buffer): Buffer {
      const plain = startingAnew(decipher.update(encrypted), iv, lastDecrypted);
      lastDecrypted = encrypted.subarray(-BLOCK);
      return plain;
    },
  };
}

/** Mixes the IV into the first block, and out of it what stands in the place of the IV. */
function startingAnew(bytes: Buffer, iv: Buffer, instead: Buffer): Buffer {
  for (let i = 0; i < BLOCK; i += 1)
    bytes[i] = (bytes[i] as number) ^ (iv[i] as number) ^ (instead[i] as number);
  return bytes;
}
