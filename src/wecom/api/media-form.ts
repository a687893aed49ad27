import { randomUUID } from 'node:crypto';
import type { ApiAnswer, ApiRequest } from './call.ts';
import { WeComError } from './wecom-error.ts';

const LIFE_MS = 3 * 24 * 3600 * 1000;
/** A media_id is not used in its last minutes: the message that names it may lie in WeCom's own queue. */
const MARGIN_MS = 10 * 60_000;

/** What WeCom takes as an image (§4.6). */
export type Picture = 'jpg' | 'png';

const MAGIC = { jpg: Buffer.from('ffd8ff', 'hex'), png: Buffer.from('89504e470d0a1a0a', 'hex') };
const TYPES = { jpg: 'image/jpeg', png: 'image/png' };

/** What the first bytes say that it is; null for no picture that WeCom takes. */
export function pictureOf(bytes: Uint8Array): Picture | null {
  const begins = (kind: Picture) => MAGIC[kind].equals(bytes.subarray(0, MAGIC[kind].length));
  return begins('jpg') ? 'jpg' : begins('png') ? 'png' : null;
}

/** The form of an upload (§4.6): one part `media`, whose file name goes as raw UTF-8 and is what receivers see. */
export function mediaForm(name: string, bytes: Uint8Array): NonNullable<ApiRequest['form']> {
  const boundary = randomUUID();
  // They would end the name; written as %22 and so on, receivers would see that.
  const shown = name.replace(/["\r\n]/g, '_');
  const picture = pictureOf(bytes);
  const head = [
    `--${boundary}`,
    `Content-Disposition: form-data; name="media"; filename="${shown}"`,
    `Content-Type: ${picture === null ? 'application/octet-stream' : TYPES[picture]}`,
  ];
  const [before, after] = [`${head.join('\r\n')}\r\n\r\n`, `\r\n--${boundary}--\r\n`];
  return { boundary, bytes: Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]) };
}

/** What became of an upload; `expiresAt` in Unix ms, three days from now. */
export type UploadedMedia = ReturnType<typeof readUploaded>;

/** Reads the answer to an upload at `now`; one without a media_id counts as lost. */
export function readUploaded(api: string, answer: ApiAnswer, now: number) {
  const { media_id: mediaId } = answer;
  if (typeof mediaId !== 'string' || mediaId === '') throw new WeComError(api, 'lost', 'no media_id');
  return { mediaId, expiresAt: now + LIFE_MS - MARGIN_MS };
}
