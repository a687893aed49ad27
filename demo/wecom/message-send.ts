import { ApiError } from './api-error.ts';
import type { Clock, WeComApp } from './app.ts';
import type { CardUpdates } from './card-updates.ts';
import type { DailyQuota } from './daily-quota.ts';
import { createDuplicates } from './duplicates.ts';
import type { Fields } from './fields.ts';
import { createFrequency, type Limit } from './frequency.ts';
import type { PutMail } from './mailbox.ts';
import { readContent } from './message-content.ts';
import type { Receivers } from './receivers.ts';
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
  readonly findReceivers: (message: Fields) => Receivers;
  readonly quota: DailyQuota;
  readonly cards: Pick<CardUpdates, 'add'>;
  readonly limits: readonly Limit[];
  readonly uploads: Uploads;
  readonly sent: SentMessages;
  readonly putMail: PutMail;
  readonly clock: Clock;
}): SendMessage {
  const { app, findReceivers, quota, cards, limits, uploads, sent, putMail, clock } = options;
  const duplicates = createDuplicates(clock);
  const perMember = createFrequency(limits, clock);
  const sender = memberSender(uploads);
  const taskIds = createTaskIds();

  return (message) => {
    // The one type that is not of an app (§4.2).
    if (message.msgtype !== 'miniprogram_notice' || message.agentid !== undefined) checkAgent(app, message);
    const shown = readContent(message, sender);
    const { userids, ...lists } = findReceivers(message);
    // Which WeCom looks at first is not documented. A repeat that it drops is answered as if it had been sent (§4.2).
    const isRepeat = duplicates.has(message);
    if (!isRepeat) taskIds.check(message);
    if (!isRepeat) quota.take(userids.length);
    taskIds.use(message);
    const msgid = sent.add();
    const mail = { msgid, msgtype: `${message.msgtype}`, shown };
    for (const userid of userids) {
      if (isRepeat) putMail(userid, mail, 'repeat');
      else putMail(userid, mail, perMember.allows(userid) ? undefined : 'limit');
    }
    return { ...lists, msgid, ...cards.add(message, { msgid, userids, shown }) };
  };
}

/** Throws 41011, 40056 or 301002 for an agentid that is missing, no number, or another app's. */
export function checkAgent(app: WeComApp, { agentid: agentId }: Fields): void {
  if (agentId === undefined || agentId === null) throw new ApiError(41011);
  if (typeof agentId !== 'number' || !Number.isInteger(agentId)) throw new ApiError(40056);
  if (agentId !== app.agentId) throw new ApiError(301002);
}
