import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { InputError } from '../errors.ts';

/** What a file says, or why it cannot be read: words that go on from its name. */
export interface FileReading {
  readonly text?: string;
  readonly problem?: string;
  /** The problem is that there is no such file. */
  readonly isMissing?: true;
}

/** The text of a file of at most so many bytes of UTF-8. Throws an InputError that goes on from the name of a setting. */
export function readTextFile(file: string, bytes: number): string {
  const { text, problem } = readFile(file, bytes);
  if (text === undefined) throw new InputError(`names ${file}, which ${problem}`);
  return text;
}

/**
 * Reads a file of at most so many bytes of UTF-8. It never throws and never waits: in the place of a file there may be a pipe,
 * which nobody writes to, or a device without an end.
 */
export function readFile(file: string, bytes: number): FileReading {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(descriptor).isFile()) return { problem: 'is no file' };
    const read = readBytes(descriptor, bytes + 1);
    if (read.length > bytes) return { problem: `is over ${bytes / 1024} KiB` };
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(read) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return { problem: 'is no UTF-8; save it as UTF-8' };
    const problem = `cannot be read (${code}); check the path and its rights`;
    return code === 'ENOENT' || code === 'ENOTDIR' ? { problem, isMissing: true } : { problem };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Its first bytes, at most so many. */
function readBytes(descriptor: number, count: number): Buffer {
  const buffer = Buffer.allocUnsafe(count);
  let length = 0;
  for (let more = -1; more !== 0 && length < count; length += more) {
    more = readSync(descriptor, buffer, length, count - length, null);
  }
  return buffer.subarray(0, length);
}
