import type { Readable } from 'node:stream';
import { InputError } from '../../errors.ts';

const NEWLINE = 0x0a;

/**
 * Reads a stream line by line, as fast as they are taken and never holding more than one chunk and one line; null stands
 * for a line that is longer than allowed. The stream stays open when the reader stops early, so that the refusal can
 * still be answered. Throws what the stream throws.
 */
export async function* readLines(stream: Readable, longest: number): AsyncGenerator<Buffer | null, void> {
  let rest: Buffer | null = Buffer.alloc(0);
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    if (!(chunk instanceof Buffer)) throw new InputError('the body must come as bytes');
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
      yield joined(rest, chunk.subarray(from, to), longest);
      rest = Buffer.alloc(0);
      from = to + 1;
    }
    rest = joined(rest, chunk.subarray(from), longest);
  }
  // Nothing after the last newline is no line.
  if (rest === null || rest.length > 0) yield rest;
}

function joined(before: Buffer | null, more: Buffer, longest: number): Buffer | null {
  if (before === null || before.length + more.length > longest) return null;
  return before.length === 0 ? Buffer.from(more) : Buffer.concat([before, more]);
}
