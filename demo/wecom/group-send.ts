import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { ApiError } from './api-error.ts';
import type { Chat, Clock } from './app.ts';
import { isInteractive } from './card-check.ts';
import { block, type Fields, required } from './fields.ts';
import { createBlockingFrequency, createFrequency, type Limit } from './frequency.ts';
import type { PutMail } from './mailbox.ts';
import { isPicture } from './media-upload.ts';
import { readContent } from './message-content.ts';
import { chatSender, robotSender } from './senders.ts';
import type { Uploads } from './uploads.ts';
import type { Shown } from './view.ts';

/** What groups are sent: by the app to its own chats, and by robots; both answer without a msgid (protocol §4.5, §5). */
export interface GroupSend {
  /** appchat/send. Throws 86003, 86001 or 86008 for a chatid that is missing, malformed or not the app's. */
  toChat(message: Fields): void;
  /** webhook/send for a robot. Throws 45009 beyond 20 a minute. */
  byRobot(robot: string, message: Fields): void;
  /** The name of the robot with that key; throws 93000 when there is none. */
  robotOf(key: string | undefined): string;
}

/** How many messages of the app's chats a member gets before the rest is dropped (protocol §4.5). */
export const chatLimits: readonly Limit[] = [
  { count: 200, seconds: 60 },
  { count: 10_000, seconds: 86_400 },
];

/** Makes both. `robots` has the key of each robot by its name. */
export function createGroupSend(options: {
  readonly chats: readonly Chat[];
  readonly limits: readonly Limit[];
  readonly robots: Readonly<Record<string, string>>;
  readonly uploads: Uploads;
  readonly putMail: PutMail;
  readonly clock: Clock;
}): GroupSend {
  const { chats, limits, robots, uploads, putMail, clock } = options;
  const perRobot = createBlockingFrequency([{ count: 20, seconds: 60 }], clock);
  const perMember = createFrequency(limits, clock);
  const sender = chatSender(uploads);
  const newId = (): string => randomBytes(12).toString('base64url');

  return {
    toChat: (message) => {
      const { chatid, msgtype } = message;
      if (!chatid) throw new ApiError(86003);
      if (typeof chatid !== 'string' || !/^[\da-zA-Z]{1,32}$/.test(chatid)) throw new ApiError(86001);
      const chat = chats.find((each) => each.chatid === chatid);
      if (chat === undefined) throw new ApiError(86008);
      const shown = readContent(message, sender);
      const { members = [`chat:${chatid}`] } = chat;
      const reached = members.filter((userid) => perMember.allows(userid.toLowerCase()));
      const mail = { msgid: newId(), msgtype: `${msgtype}`, shown };
      // One screen stands for all who are in the chat: it shows what any of them gets.
      putMail(`chat:${chatid}`, mail, reached.length === 0 ? 'limit' : undefined);
    },
    byRobot: (robot, message) => {
      const { msgtype } = message;
      const shown = readRobotContent(message, robot, uploads);
      if (!perRobot.allows(robot)) throw new ApiError(45009);
      putMail(`robot:${robot}`, { msgid: newId(), msgtype: `${msgtype}`, shown });
    },
    robotOf: (key) => {
      const found = Object.entries(robots).find(([, own]) => isSame(own, key ?? ''));
      if (found === undefined) throw new ApiError(93000);
      return found[0];
    },
  };
}

/** What differs from message/send: pictures within the call, and cards without interaction. */
function readRobotContent(message: Fields, robot: string, uploads: Uploads): Shown {
  const sender = robotSender(uploads, robot);
  const { msgtype, image, template_card: card } = message;
  if (msgtype === 'template_card' && isInteractive(block(card))) throw new ApiError(42031);
  if (msgtype !== 'image') return readContent(message, sender);
  const { base64, md5 } = block(image);
  const bytes = Buffer.from(required(base64), 'base64');
  if (createHash('md5').update(bytes).digest('hex') !== md5) throw new ApiError(40058, 'md5');
  if (!isPicture(bytes)) throw new ApiError(40004);
  if (bytes.length > 2 * 1024 * 1024) throw new ApiError(45001);
  const mediaId = uploads.add({ type: 'image', name: 'image', bytes, owner: robot });
  return readContent({ msgtype, image: { media_id: mediaId } }, sender);
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
