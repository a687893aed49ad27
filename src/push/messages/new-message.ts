import { InputError } from '../../errors.ts';
import { hashOf } from '../apps/signature.ts';
import { checkTaskId } from '../content/card-schema.ts';
import { type Content, kindOf } from '../content/content.ts';
import { checkContent } from '../content/content-schema.ts';
import { fill, USERID } from '../content/fill.ts';
import {
  type NewMessage,
  type Receiver,
  type ReceiverKind,
  readReceiver,
  receiverWords,
} from '../content/message.ts';
import type { Database } from '../database/database.ts';
import type { KnownAccounts } from '../http/accounts.ts';
import type { Media } from '../media/media.ts';
import type { Delivery as MessageQueue } from '../sending/delivery.ts';
import type { Templates } from '../templates/template-store.ts';
import type { HandedMessage } from './message-schema.ts';
import type { Handed } from './read-message.ts';

/** What the routes of messages need. */
export interface MessageParts {
  readonly db: Database;
  readonly messageQueue: Pick<MessageQueue, 'accept' | 'finished' | 'recall' | 'resend'>;
  readonly templates: Pick<Templates, 'resolve'>;
  readonly media: Pick<Media, 'of' | 'bytes'>;
  /** The picture at a public address; throws an InputError. */
  readonly fetchImage: (url: string) => Promise<{ readonly name: string; readonly bytes: Uint8Array }>;
  /** Names of the robots. */
  readonly robots: ReadonlySet<string>;
  readonly accounts: KnownAccounts;
  /** Why an account is paused, in a sentence; null when it is not. */
  readonly pausedNote: (account: string) => string | null;
  /** Unix ms. */
  readonly now: () => number;
}

/** Raw pictures through a robot (§5). */
const ROBOT_IMAGE_BYTES = 2 * 1024 * 1024;

/** The receivers of a message, each once. */
export function receiversOf({ to }: HandedMessage): readonly Receiver[] {
  const kinds = Object.keys(receiverWords) as readonly ReceiverKind[];
  const named = kinds.flatMap((kind) => to[receiverWords[kind]].map((id): Receiver => `${kind}:${id}`));
  return [...new Set(named)];
}

/** What tells one request from another under the same idempotency key; whether the caller waits does not. */
export function requestHashOf({ wait: _, ...message }: HandedMessage): string {
  return hashOf(JSON.stringify(message));
}

/** The message to be written down. Throws an InputError for what a receiver cannot take, a template or media not there. */
export async function makeMessage(parts: MessageParts, app: string, handed: Handed): Promise<NewMessage> {
  const { message } = handed;
  const { account, priority: lane, sendAt, opaque, idempotencyKey, callbackUrl, template } = message;
  const receivers = receiversOf(message);
  const areMembers = receivers.every((receiver) => receiver.startsWith('user:') && receiver !== 'user:@all');
  const own = template !== undefined && areMembers ? [USERID] : [];
  const says =
    template === undefined
      ? { content: (await mediaContent(parts, app, handed)) ?? writtenContent(message) }
      : await templateContent(parts, template, own);
  // A userid that is filled in for each receiver counts with the least that it can be.
  const filled =
    template === undefined ? says.content : fill(says.content, { [USERID]: 'u', ...template.variables });
  checkContent(filled, [...new Set(receivers.map((receiver) => readReceiver(receiver).kind))]);
  if (receivers.length > 1) checkTaskId(says.content, own);
  return {
    ...{ app, account, lane, sendAt, opaque, idempotencyKey, callbackUrl },
    ...says,
    receivers: receivers.map((receiver) => ({ receiver })),
    requestHash: requestHashOf(message),
  };
}

/** The picture or file of a message, kept until it is sent; undefined when it has none. */
async function mediaContent(
  { media, fetchImage }: MessageParts,
  app: string,
  { message: { to, imageUrl, image, file, sendAt }, upload }: Handed,
): Promise<Content | undefined> {
  const kind = file === undefined ? 'image' : 'file';
  const isForRobot = kind === 'image' && to.robots.length > 0;
  const checkSize = ({ length }: Uint8Array): void => {
    if (isForRobot && length > ROBOT_IMAGE_BYTES) {
      throw new InputError(`image: robots send at most ${ROBOT_IMAGE_BYTES} bytes; make the picture smaller`);
    }
  };
  const mine = media.of(app);
  const handed = upload ?? (imageUrl === undefined ? undefined : await fetchImage(imageUrl));
  if (handed !== undefined) checkSize(handed.bytes);
  const stored = handed === undefined ? (image ?? file) : await mine.save(kind, handed.name, handed.bytes);
  if (stored === undefined) return undefined;
  const used = await mine.use(kind, stored, sendAt);
  if (handed === undefined && isForRobot) checkSize(await media.bytes(used.sha256));
  return kind === 'image' ? { image: used } : { file: used };
}

function writtenContent(message: HandedMessage): Content {
  const { mentioned, plainTextFor } = message;
  const kind = kindOf(message as Content);
  return {
    [kind]: message[kind],
    ...(mentioned !== undefined && { mentioned }),
    ...(plainTextFor !== undefined && { plainTextFor }),
  } as Content;
}

async function templateContent(
  { templates }: MessageParts,
  { key, variables }: NonNullable<HandedMessage['template']>,
  own: readonly string[],
) {
  const { content, version } = await templates.resolve(key, variables, own);
  return { content, variables, template: { key, version } };
}
