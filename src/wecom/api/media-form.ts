import { randomUUID } from 'node:crypto';
import type { ApiAnswer, ApiRequest } from './call.ts';
import { WeComError } from './wecom-error.ts';

const LIFE_MS = 3 * 24 * 3600 * 1000;
/** A media_id is not used in its last minutes: the message that names it may lie in WeCom's own queue. */
const MARGIN_MS = 10 * 60_000;

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47]);
const JPEG = Buffer.from([0xff, 0xd8, 0xff]);

/** The form of an upload (§4.6): one part `media`, whose file name goes as raw UTF-8 and is what receivers see. */
export function mediaForm(name: string, bytes: Uint8Array): NonNullable<ApiRequest['form']> {
  const boundary = randomUUID();
  // They would end the name; written as %22 and so on, receivers would see that.
  const shown = name.replace(/["\r\n]/g, '_');
  const head = [
    `--${boundary}`,
    `Content-Disposition: form-data; name="media"; filename="${shown}"`,
    `Content-Type: ${typeOf(bytes)}`,
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

function typeOf(bytes: Uint8Array): string {
  const begins = (mark: Buffer) => mark.equals(bytes.subarray(0, mark.length));
  if (begins(PNG)) return 'image/png';
  return begins(JPEG) ? 'image/jpeg' : 'application/octet-stream';
}
