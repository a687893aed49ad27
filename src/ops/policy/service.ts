import { X509Certificate } from 'node:crypto';
import * as z from 'zod';
import { InputError } from '../../errors.ts';
import { isLoopback, readUrl } from '../../server/address.ts';
import { readTextFile } from '../../server/text-file.ts';

const FILE_BYTES = 64 * 1024;

/** Takes what `read` makes of a text; the sentence of its InputError becomes the problem at this place. */
const readBy = (read: (text: string) => string) =>
  z.string().transform((text, context) => {
    try {
      return read(text);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      context.addIssue({ code: 'custom', message: error.message });
      return z.NEVER;
    }
  });

/**
 * The form of an HTTP service that a unit reaches, whose certificates are read by `authoritiesIn`. `url` is its origin and base path, without a slash at the end; with `ca`, the text
 * of that file, only these authorities are believed.
 */
export const serviceOf = (authoritiesIn: (file: string) => string) =>
  z.strictObject({ url: readBy(readBase), ca: readBy(authoritiesIn).optional() });

/** Host and base path are fixed here, so that nothing an operation says can lead elsewhere. */
function readBase(text: string): string {
  const url = readUrl(text, ['https:', 'http:']);
  if (url.protocol === 'http:' && !isLoopback(url)) {
    throw new InputError('must be https: plain http is for loopback only');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    throw new InputError('must be a plain address, without a login or query');
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** The certificates in a file. Throws an InputError that goes on from the name of a setting. */
export function readAuthorities(file: string): string {
  const text = readTextFile(file, FILE_BYTES);
  try {
    new X509Certificate(text);
  } catch {
    throw new InputError(`names ${file}, which holds no certificate in PEM`);
  }
  return text;
}
