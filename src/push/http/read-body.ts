import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { InputError } from '../../errors.ts';
import type { Place } from './body-room.ts';
import { Refusal } from './route.ts';

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

/** A body that is still coming in. */
export interface Incoming {
  readonly source: Readable;
  /** SHA-256 that was signed, hex. */
  readonly bodyHash: string;
  /** Most bytes that the route takes. */
  readonly limit: number;
}

/**
 * The bytes of a body whose hash was signed, as they come. It fails with a Refusal at its end when they hash to something
 * else, as soon as there are more of them than `limit`, and when they break off.
 */
export function verifiedStream(incoming: Incoming): Readable {
  const checked = Readable.from(verified(incoming), { objectMode: false });
  // Nobody may be reading any more when it fails.
  checked.on('error', () => {});
  return checked;
}

/**
 * All of a body whose hash was signed, within `limitMs` (ms), where its `place` has room for it. `length` is what its
 * Content-Length says, if it has one. Throws a Refusal.
 */
export async function readBytes(
  incoming: Incoming & { readonly length: number; readonly place: Place; readonly limitMs: number },
): Promise<Buffer> {
  const { length, limit, place, limitMs } = incoming;
  if (length > limit) throw tooLong(limit);
  place.reserve(length);
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Refusal(408, `The body did not come within ${limitMs / 1000} s; send it faster.`)),
    limitMs,
  );
  const all = async (): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    for await (const chunk of verified(incoming, place.reserve)) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  try {
    return await Promise.race([all(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** `onSize` is told how many bytes there are, before each part is handed on. */
async function* verified({ source, bodyHash, limit }: Incoming, onSize?: (size: number) => void) {
  const hash = createHash('sha256');
  let size = 0;
  try {
    // To destroy the source would end the connection before the caller has read why.
    for await (const chunk of source.iterator({ destroyOnReturn: false })) {
      size += chunk.length;
      if (size > limit) throw tooLong(limit);
      onSize?.(size);
      hash.update(chunk);
      yield chunk as Buffer;
    }
  } catch (error) {
    throw error instanceof Refusal ? error : new Refusal(400, 'The body broke off; send the request again.');
  }
  if (hash.digest('hex') === bodyHash) return;
  throw new Refusal(401, 'The body is not the one that X-Keypad-Content-SHA256 names.');
}

function tooLong(limit: number): Refusal {
  return new Refusal(413, `The body is longer than ${limit} bytes; send less at once.`);
}
