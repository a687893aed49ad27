import { hkdfSync } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';

/** Encrypts texts under a secret, and authenticates them: A256GCM, under a key that follows from the secret. */
export function createSeal(secret: string) {
  const key = new Uint8Array(hkdfSync('sha256', secret, '', 'keypad seal', 32));
  const header = { alg: 'dir', enc: 'A256GCM' };
  const allowed = { keyManagementAlgorithms: [header.alg], contentEncryptionAlgorithms: [header.enc] };
  return {
    close: (text: string): Promise<string> =>
      new CompactEncrypt(Buffer.from(text)).setProtectedHeader(header).encrypt(key),
    /** Null for a text that was sealed under another secret, or changed since. */
    async open(sealed: string): Promise<string | null> {
      const opened = await compactDecrypt(sealed, key, allowed).catch(() => null);
      return opened === null ? null : Buffer.from(opened.plaintext).toString();
    },
  };
}
