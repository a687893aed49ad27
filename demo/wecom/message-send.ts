import { ApiError } from './api-error.ts';
import type { Clock, WeComApp } from './app.ts';
import { createDuplicates } from './duplicates.ts';
import type { Fields } from './fields.ts';
import { createFrequency, type Limit } from './frequency.ts';
import type { PutMail } from './mailbox.ts';
import { readContent } from './message-content.ts';
import { createReceivers, type Directory } from './receivers.ts';
import type { SentMessages } from './sent-messages.ts';
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
  const sender = { uploads, owner: null, markdownBytes: 2048 };

  return (message) => {
    checkAgent(app, message.agentid);
    const shown = readContent(message, sender);
    const { userids, ...lists } = findReceivers(message);
    const msgid = sent.add();
    const mail = { msgid, msgtype: `${message.msgtype}`, shown };
    const isRepeat = duplicates.has(message);
    for (const userid of userids) {
      if (isRepeat) putMail(userid, mail, 'repeat');
      else putMail(userid, mail, perMember.allows(userid) ? undefined : 'limit');
    }
    return { ...lists, msgid };
  };
}

function checkAgent(app: WeComApp, agentId: unknown): void {
  if (agentId === undefined) throw new ApiError(41011);
  if (typeof agentId !== 'number' || !Number.isInteger(agentId)) throw new ApiError(40056);
  if (agentId !== app.agentId) throw new ApiError(301002);
}
