import { InputError } from '../../errors.ts';

/** What WeCom takes as an image (§4.6). */
export type Picture = 'jpg' | 'png';

const MB = 1024 * 1024;

/** Largest sizes (§4.6); everything is longer than 5 bytes. */
export const MAX_BYTES = { image: 10 * MB, file: 20 * MB } as const;
const TOO_SHORT = 5;

/** What the first bytes say that it is; null for no picture that WeCom takes. */
export function pictureOf(bytes: Uint8Array): Picture | null {
  const begins = (...magic: readonly number[]) => magic.every((byte, index) => bytes[index] === byte);
  if (begins(0xff, 0xd8, 0xff)) return 'jpg';
  return begins(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a) ? 'png' : null;
}

/** Throws an InputError for what WeCom does not take as this kind (§4.6), whatever its name says. */
export function checkMedia(kind: 'image' | 'file', bytes: Uint8Array): void {
  if (bytes.length <= TOO_SHORT) throw new InputError(`${kind}: must be longer than ${TOO_SHORT} bytes`);
  const most = MAX_BYTES[kind];
  if (bytes.length > most) throw new InputError(`${kind}: must be at most ${most / MB} MB`);
  if (kind === 'image' && pictureOf(bytes) === null) {
    throw new InputError('image: is neither JPG nor PNG, which are all that WeCom shows; send it as a file');
  }
}

/** Reads what receivers are to see as a file's name: at most 128 characters, no path. Throws an InputError. */
export function readFileName(name: string): string {
  const isPlain = name.isWellFormed() && !/[\p{Cc}"/\\]/u.test(name) && /[^\s.]/.test(name);
  if (isPlain && name.length <= 128) return name;
  throw new InputError(
    'name: must be a file name of at most 128 characters, without " / \\ and control signs',
  );
}
