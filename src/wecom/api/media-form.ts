import type { ApiAnswer } from './call.ts';
import type { UploadedMedia } from './outgoing.ts';
import { WeComError } from './wecom-error.ts';

const LIFE_MS = 3 * 24 * 3600 * 1000;
/** A media_id is not used in its last minutes: the message that names it may lie in WeCom's own queue. */
const MARGIN_MS = 10 * 60_000;

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47]);
const JPEG = Buffer.from([0xff, 0xd8, 0xff]);

/** The form of an upload (§4.6): one part `media`, whose file name goes as raw UTF-8 and is what receivers see. */
export function mediaForm(name: string, bytes: Uint8Array): FormData {
  const form = new FormData();
  // FormData writes quotes and line ends as %22 and so on, and receivers would see that.
  const shown = name.replace(/["\r\n]/g, '_');
  form.set('media', new Blob([Uint8Array.from(bytes)], { type: typeOf(bytes) }), shown);
  return form;
}

/** Reads the answer to an upload at `now`; one without a media_id counts as lost. */
export function readUploaded(api: string, answer: ApiAnswer, now: number): UploadedMedia {
  const { media_id: mediaId } = answer;
  if (typeof mediaId !== 'string' || mediaId === '') throw new WeComError(api, 'lost', 'no media_id');
  return { mediaId, expiresAt: now + LIFE_MS - MARGIN_MS };
}

function typeOf(bytes: Uint8Array): string {
  const begins = (mark: Buffer) => mark.equals(bytes.subarray(0, mark.length));
  if (begins(PNG)) return 'image/png';
  return begins(JPEG) ? 'image/jpeg' : 'application/octet-stream';
}
