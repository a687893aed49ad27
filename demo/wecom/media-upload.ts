import type { ApiCall } from './api-call.ts';
import { ApiError } from './api-error.ts';
import type { Uploads } from './uploads.ts';

const MB = 1024 * 1024;
/** The largest that each type may be (protocol §4.6). */
const most: Readonly<Record<string, number>> = {
  image: 10 * MB,
  voice: 2 * MB,
  video: 10 * MB,
  file: 20 * MB,
};
const SMALLEST = 5;
const PNG = '89504e47';
const JPEG = 'ffd8ff';
/** What a robot may upload (protocol §5). */
const ofRobots: ReadonlySet<string> = new Set(['file', 'voice']);

/** By what the bytes of each type are known; a file may be anything. */
const looksLike: Readonly<Record<string, (bytes: Buffer) => boolean>> = {
  image: isPicture,
  voice: (bytes) => bytes.toString('latin1', 0, 5) === '#!AMR',
  video: (bytes) => bytes.toString('latin1', 4, 8) === 'ftyp',
};

/**
 * Answers media/upload, and webhook/upload_media for the robot `owner` (protocol §4.6, §5). Throws 40005 for an unknown
 * type, 44001 without a readable part `media`, 40006 or 45001 for its size, 40004 for a picture, voice or video
 * that is none. How long a voice is, is not looked at.
 */
export async function upload(
  uploads: Uploads,
  { query, body, contentType }: ApiCall,
  owner: string | null,
): Promise<Record<string, unknown>> {
  const type = query.type ?? '';
  const limit = Object.hasOwn(most, type) ? most[type] : undefined;
  if (limit === undefined || (owner !== null && !ofRobots.has(type))) throw new ApiError(40005);
  const { name, bytes } = await readMedia(body, contentType);
  if (bytes.length <= SMALLEST) throw new ApiError(40006);
  if (bytes.length > limit) throw new ApiError(45001);
  if (looksLike[type]?.(bytes) === false) throw new ApiError(40004);
  const mediaId = uploads.add({ type, name, bytes, owner });
  const createdAt = Math.floor((uploads.get(mediaId)?.time ?? 0) / 1000);
  return { type, media_id: mediaId, created_at: `${createdAt}` };
}

/** Whether these bytes begin as a PNG or JPEG does. */
export function isPicture(bytes: Buffer): boolean {
  const start = bytes.toString('hex', 0, 4);
  return start === PNG || start.startsWith(JPEG);
}

async function readMedia(
  body: Buffer,
  contentType: string,
): Promise<{ readonly name: string; readonly bytes: Buffer }> {
  // The RFC 5987 form of a file name makes the real server find no file at all.
  if (body.subarray(0, 1024).includes('filename*=')) throw new ApiError(44001);
  const headers = { 'content-type': contentType };
  const form = await new Response(new Uint8Array(body), { headers }).formData().catch(() => undefined);
  const media = form?.get('media');
  if (!(media instanceof File)) throw new ApiError(44001);
  return { name: media.name, bytes: Buffer.from(await media.arrayBuffer()) };
}
