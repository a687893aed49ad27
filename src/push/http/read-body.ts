import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { InputError } from '../../errors.ts';

/** Whether a Content-Type header names this type. */
export function isContentType(header: string, type: string): boolean {
  return header.split(';')[0]?.trim().toLowerCase() === type;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Parses JSON in UTF-8; throws an InputError that says `problem`. */
export function readJson(bytes: Uint8Array, problem = 'The body is not JSON in UTF-8.'): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    throw new InputError(problem);
  }
}

/**
 * The bytes of a body whose hash was signed. It fails with an InputError at its end when they hash to something else,
 * and as soon as there are more of them than `limit`.
 */
export function verifiedStream(source: Readable, bodyHash: string, limit: number): Readable {
  async function* verified() {
    const hash = createHash('sha256');
    let size = 0;
    // To destroy the source would end the connection before the caller has read why.
    for await (const chunk of source.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      if (size > limit) throw new InputError(`The body is longer than ${limit} bytes; send less at once.`);
      hash.update(chunk);
      yield chunk;
    }
    if (hash.digest('hex') === bodyHash) return;
    throw new InputError('The body is not the one that X-Keypad-Content-SHA256 names.');
  }
  const checked = Readable.from(verified(), { objectMode: false });
  // Nobody may be reading any more when it fails.
  checked.on('error', () => {});
  return checked;
}
