import { InputError } from '../../../errors.ts';
import type { Content } from '../../content.ts';
import type { Media } from '../../media/media.ts';
import type { Handed } from './read-message.ts';

/** Where pictures and files come from, and where they are kept. */
export interface MediaSources {
  readonly media: Pick<Media, 'save' | 'bytes'>;
  /** The picture at a public address; throws an InputError. */
  fetchImage(url: string): Promise<Picture>;
}

interface Picture {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Raw pictures through a robot (§5). */
const ROBOT_IMAGE_BYTES = 2 * 1024 * 1024;

/** The picture or file of a message, kept from now on; undefined when it has none. Throws an InputError. */
export async function mediaContent(
  sources: MediaSources,
  handed: Handed,
  toRobots: boolean,
): Promise<Content | undefined> {
  const { media } = sources;
  const picture = await pictureOf(sources, handed);
  if (picture === undefined) return undefined;
  const { name, bytes } = picture;
  if (handed.message.file !== undefined) return { file: await media.save('file', name, bytes) };
  if (toRobots && bytes.length > ROBOT_IMAGE_BYTES) {
    throw new InputError(`image: robots send at most ${ROBOT_IMAGE_BYTES} bytes; make the picture smaller`);
  }
  return { image: await media.save('image', name, bytes) };
}

async function pictureOf(
  { media, fetchImage }: MediaSources,
  { message: { imageUrl, image, file }, upload }: Handed,
): Promise<Picture | undefined> {
  if (upload !== undefined) return upload;
  if (imageUrl !== undefined) return fetchImage(imageUrl);
  const earlier = image ?? file;
  return earlier && { name: earlier.name, bytes: await media.bytes(earlier.sha256) };
}
