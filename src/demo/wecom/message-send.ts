import { randomBytes } from 'node:crypto';
import { ApiError } from './api-error.ts';
import type { Clock, Member, WeComApp } from './app.ts';
import { createDuplicates } from './duplicates.ts';
import { createFrequency } from './frequency.ts';
import type { History } from './history.ts';
import { readMessageText } from './message-text.ts';
import { findReceivers } from './receivers.ts';

/** Answers one call of message/send with the fields that follow errcode and errmsg; throws an ApiError (protocol §4.2). */
export type SendMessage = (body: unknown) => Record<string, string>;

/** Makes message/send: it writes to the members' phones, and silently drops what is over 30 a minute or 1000 an hour for one member (protocol §4.12). */
export function createMessageSend(options: {
  readonly app: WeComApp;
  readonly members: readonly Member[];
  readonly history: History;
  readonly clock: Clock;
}): SendMessage {
  const { app, members, history, clock } = options;
  const duplicates = createDuplicates(clock);
  const perMember = createFrequency(
    [
      { count: 30, seconds: 60 },
      { count: 1000, seconds: 3600 },
    ],
    clock,
  );

  return (body) => {
    if (typeof body !== 'object' || body === null) throw new ApiError(40058);
    const message = body as Record<string, unknown>;
    checkAgent(app, message.agentid);
    const { text, cut } = readMessageText(message);
    const { members: receivers, ...invalid } = findReceivers(members, message);
    const msgid = randomBytes(24).toString('base64url');
    const isDuplicate = duplicates.has(message);
    for (const { userid } of receivers) {
      if (isDuplicate || !perMember.allows(userid)) continue;
      const seen = { user: userid, direction: 'in', kind: 'push', text, msgid } as const;
      history.add(cut ? { ...seen, cut } : seen);
    }
    return { ...invalid, unlicenseduser: '', msgid };
  };
}

function checkAgent(app: WeComApp, agentId: unknown): void {
  if (agentId === undefined) throw new ApiError(41011);
  if (typeof agentId !== 'number' || !Number.isInteger(agentId)) throw new ApiError(40056);
  if (agentId !== app.agentId) throw new ApiError(301002);
}
