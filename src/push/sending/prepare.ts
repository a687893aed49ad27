import { InputError } from '../../errors.ts';
import type { Outgoing } from '../../wecom/api/outgoing.ts';
import { compose, contentFor } from '../content/compose.ts';
import type { Content } from '../content/content.ts';
import { checkContent } from '../content/content-schema.ts';
import { readReceiver, type Variables } from '../content/message.ts';
import type { Media } from '../media/media.ts';
import type { Group } from '../queue/claim.ts';

/** What is needed to make a message ready. */
export interface PrepareParts {
  readonly media: Media;
  readonly robots: Readonly<Record<string, string>>;
  /** Whether an administrator has disabled this app, which stops also what it had handed in before. */
  readonly isDisabled: (app: string) => Promise<boolean>;
  readonly fill: (content: Content, values: Variables) => Content;
}

/** A message as it goes out, in its parts. */
export interface Prepared {
  readonly outgoing: readonly Outgoing[];
  readonly mediaId: string | null;
}

/**
 * Fills and composes what a group is sent. Throws an InputError for what can never be sent, and a WeComError when an
 * upload failed; no message has left then.
 */
export async function prepare(
  { media, robots, isDisabled, fill }: PrepareParts,
  group: Group,
): Promise<Prepared> {
  const { account, outgoingMessage, members } = group;
  if (await isDisabled(outgoingMessage.app)) {
    throw new InputError(
      `The app ${outgoingMessage.app} is disabled; enable it, and send this message again.`,
    );
  }
  const [{ receiver, variables }] = members;
  const { kind, id } = readReceiver(receiver);
  if (kind === 'robot' && !Object.hasOwn(robots, id)) {
    throw new InputError(`There is no robot named ${id}; add it to PUSH_ROBOTS.`);
  }
  // Filled once: a value that looks like a variable stays as it is.
  const isTemplate = outgoingMessage.variables !== null || variables !== null;
  const own = variables === null ? {} : (JSON.parse(variables) as Variables);
  const values = { ...outgoingMessage.variables, ...own, ...(kind === 'user' && { USERID: id }) };
  const filled = isTemplate ? fill(outgoingMessage.content, values) : outgoingMessage.content;
  // A campaign's values are each receiver's own, and make what nobody has looked at before.
  if (isTemplate) checkContent(filled, [kind]);
  const content = contentFor(filled, receiver);

  if ('image' in content && kind === 'robot') {
    const picture = await media.bytes(content.image.sha256);
    return { outgoing: compose(content, kind, undefined, picture), mediaId: null };
  }
  let mediaId: string | undefined;
  if ('image' in content) mediaId = await media.mediaId('image', content.image, account);
  if ('file' in content) {
    const isRobot = kind === 'robot';
    mediaId = await (isRobot
      ? media.mediaIdForRobot(id, content.file)
      : media.mediaId('file', content.file, account));
  }
  return { outgoing: compose(content, kind, mediaId), mediaId: mediaId ?? null };
}
