import { InputError } from '../../errors.ts';
import { text } from '../xml/element.ts';
import { readXml } from '../xml/parser.ts';

/**
 * The ciphertext in the body of a callback (§2.1). Nothing else of it counts: only the ciphertext is signed.
 * Throws {@link InputError} when the body is malformed or has no ciphertext.
 */
export function readEncrypted(xml: string): string {
  const encrypted = text(readXml(xml), 'Encrypt');
  if (encrypted === '') throw new InputError('<Encrypt> is missing');
  return encrypted;
}
