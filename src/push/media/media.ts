import type { StoredMedia } from '../content.ts';

/** Pictures and files by their content; WeCom's media_ids are made when they are needed and reused for three days (§4.6). */
export interface Media {
  /** Keeps the bytes; the same content is kept once. Throws an InputError for a type or size that WeCom does not take. */
  save(kind: 'image' | 'file', name: string, bytes: Uint8Array): Promise<StoredMedia>;
  /** A media_id that is good for at least ten minutes; one upload for each content, however many replicas ask. */
  mediaId(kind: 'image' | 'file', media: StoredMedia): Promise<string>;
  /** As `mediaId`, for a file through a robot, whose uploads are its own (§5). */
  mediaIdForRobot(robot: string, media: StoredMedia): Promise<string>;
  /** Forgets a media_id that WeCom does not know any more (40007). */
  forget(mediaId: string): Promise<void>;
  /** Throws an InputError when the content is not kept any more. */
  bytes(sha256: string): Promise<Buffer>;
}
