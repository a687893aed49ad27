import { randomBytes } from 'node:crypto';
import { ApiError } from './api-error.ts';
import type { Clock, WeComApp } from './app.ts';
import { isInteractive } from './card-check.ts';
import { createDuplicates } from './duplicates.ts';
import type { Fields } from './fields.ts';
import { createFrequency, type Limit } from './frequency.ts';
import type { PutMail } from './mailbox.ts';
import { readContent } from './message-content.ts';
import { createReceivers, type Directory } from './receivers.ts';
import { memberSender } from './senders.ts';
import type { SentMessages } from './sent-messages.ts';
import { createTaskIds } from './task-ids.ts';
import type { Uploads } from './uploads.ts';

/** Answers one call of message/send with the fields that follow errcode and errmsg; throws an ApiError (protocol §4.2). */
export type SendMessage = (message: Fields) => Record<string, string>;

/** How many messages of one app a member gets before the rest is dropped (protocol §4.12). */
export const memberLimits: readonly Limit[] = [
  { count: 30, seconds: 60 },
  { count: 1000, seconds: 3600 },
];

/** Makes message/send: it delivers messages to members, and silently drops what is over the limits of one. */
export function createMessageSend(options: {
  readonly app: WeComApp;
  readonly directory: Directory;
  readonly limits: readonly Limit[];
  readonly uploads: Uploads;
  readonly sent: SentMessages;
  readonly putMail: PutMail;
  readonly clock: Clock;
}): SendMessage {
  const { app, directory, limits, uploads, sent, putMail, clock } = options;
  const findReceivers = createReceivers(directory);
  const duplicates = createDuplicates(clock);
  const perMember = createFrequency(limits, clock);
  const sender = memberSender(uploads);
  const taskIds = createTaskIds();

  return (message) => {
    checkAgent(app, message);
    const shown = readContent(message, sender);
    const { userids, ...lists } = findReceivers(message);
    // Which WeCom looks at first is not documented. A repeat that it drops is answered as if it had been sent (§4.2).
    const isRepeat = duplicates.has(message);
    if (!isRepeat) taskIds.check(message);
    taskIds.use(message);
    const msgid = sent.add();
    const mail = { msgid, msgtype: `${message.msgtype}`, shown };
    for (const userid of userids) {
      if (isRepeat) putMail(userid, mail, 'repeat');
      else putMail(userid, mail, perMember.allows(userid) ? undefined : 'limit');
    }
    return { ...lists, msgid, ...responseCode(message) };
  };
}

function checkAgent(app: WeComApp, { msgtype, agentid: agentId }: Fields): void {
  // The one type that is not of an app (§4.2).
  if (msgtype === 'miniprogram_notice' && agentId === undefined) return;
  if (agentId === undefined || agentId === null) throw new ApiError(41011);
  if (typeof agentId !== 'number' || !Number.isInteger(agentId)) throw new ApiError(40056);
  if (agentId !== app.agentId) throw new ApiError(301002);
}

/** By which a card can be changed later, once; only one that tells the app of a tap has it. */
function responseCode({ msgtype, template_card: card }: Fields): { readonly response_code?: string } {
  if (msgtype !== 'template_card' || !isInteractive(card as Fields)) return {};
  return { response_code: randomBytes(32).toString('base64url') };
}
