import { InputError } from '../../errors.ts';
import type { Content } from '../content/content.ts';
import type { MessageParts } from './message-parts.ts';
import type { Handed } from './read-message.ts';

/** Raw pictures through a robot (§5). */
const ROBOT_IMAGE_BYTES = 2 * 1024 * 1024;

/** The picture or file of a message, kept until it is sent; undefined when it has none. Throws an InputError. */
export async function mediaContent(
  { media, fetchImage }: MessageParts,
  { message: { imageUrl, image, file, sendAt }, upload }: Handed,
  toRobots: boolean,
): Promise<Content | undefined> {
  if ((imageUrl ?? image ?? file) === undefined) return undefined;
  const kind = file === undefined ? 'image' : 'file';
  const earlier = image ?? file;
  const handed = upload ?? (imageUrl === undefined ? undefined : await fetchImage(imageUrl));
  if (toRobots && kind === 'image') {
    const { length } = handed?.bytes ?? (await media.bytes(earlier?.sha256 ?? ''));
    if (length > ROBOT_IMAGE_BYTES) {
      throw new InputError(`image: robots send at most ${ROBOT_IMAGE_BYTES} bytes; make the picture smaller`);
    }
  }
  const stored = handed === undefined ? earlier : await media.save(kind, handed.name, handed.bytes);
  if (stored === undefined) throw new InputError('image: has neither bytes nor an address');
  const used = await media.use(kind, stored, sendAt);
  return kind === 'image' ? { image: used } : { file: used };
}
