import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { InputError } from '../errors.ts';

/**
 * The text of a file of at most so many bytes of UTF-8. Throws an InputError that names it, and never waits: in the place of a
 * file there may be a pipe, which nobody writes to, or a device without an end.
 */
export function readTextFile(file: string, bytes: number): string {
  const read = readBytes(file, bytes + 1);
  if (read.length > bytes) throw new InputError(`names ${file}, which is over ${bytes / 1024} KiB`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(read);
  } catch {
    throw new InputError(`names ${file}, which is no UTF-8; save it as UTF-8`);
  }
}

/** Its first bytes, at most so many. */
function readBytes(file: string, count: number): Buffer {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(descriptor).isFile()) throw new InputError(`names ${file}, which is no file`);
    const buffer = Buffer.alloc(count);
    let length = 0;
    for (let more = -1; more !== 0 && length < count; length += more) {
      more = readSync(descriptor, buffer, length, count - length, null);
    }
    return buffer.subarray(0, length);
  } catch (error) {
    if (error instanceof InputError) throw error;
    const why = error instanceof Error && 'code' in error ? error.code : 'unknown reason';
    throw new InputError(`names ${file}, which cannot be read (${why}); check the path and its rights`);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
