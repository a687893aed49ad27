import { InputError } from '../../errors.ts';
import { pictureOf } from '../../wecom/api/media-form.ts';

const MB = 1024 * 1024;

/** Largest sizes (§4.6); everything is longer than 5 bytes. */
export const MAX_BYTES = { image: 10 * MB, file: 20 * MB } as const;
const TOO_SHORT = 5;

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
