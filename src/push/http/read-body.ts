import { createHash } from 'node:crypto';
import { type Readable, Transform } from 'node:stream';
import { InputError } from '../../errors.ts';

/** Whether a Content-Type header names this type. */
export function isContentType(header: string, type: string): boolean {
  return header.split(';')[0]?.trim().toLowerCase() === type;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Parses JSON in UTF-8; throws an InputError. */
export function readJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    throw new InputError('The body is not JSON in UTF-8.');
  }
}

/**
 * The bytes of a body whose hash was signed. It fails with an InputError at its end when they hash to something else,
 * and as soon as there are more of them than `limit`.
 */
export function verifiedStream(source: Readable, bodyHash: string, limit: number): Readable {
  const hash = createHash('sha256');
  let size = 0;
  const checked = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      done(
        size > limit ? new InputError(`The body is longer than ${limit} bytes; send less at once.`) : null,
        chunk,
      );
    },
    flush(done) {
      const isSame = hash.digest('hex') === bodyHash;
      done(isSame ? null : new InputError('The body is not the one that X-Keypad-Content-SHA256 names.'));
    },
  });
  // Not `pipeline`: that would end the connection before the caller has read why.
  source.once('error', (error) => checked.destroy(error));
  source.once('close', () => {
    if (!source.readableEnded) checked.destroy(new InputError('The connection ended before the body did.'));
  });
  // Nobody may be reading any more when it fails.
  checked.on('error', () => {});
  return source.pipe(checked);
}
