import type { Channel, Incoming } from '../../src/channels/channel.ts';

/** What came after a reply, or without one. */
export interface Sent {
  readonly user: string;
  readonly text: string;
}

/** A channel that no transport has: short replies, little time, ids of users in which capitals count. */
export interface Pigeon extends Channel {
  readonly sent: readonly Sent[];
  /** A message as this channel would read it; `createdAt` is Unix seconds. */
  message(user: string, text: string, createdAt: number): Incoming;
}

/** Makes one. `overrides` change what the transport can carry. */
export function createPigeon(overrides: Partial<Channel> = {}): Pigeon {
  const sent: Sent[] = [];
  let messages = 0;
  const channel: Channel = {
    name: 'pigeon',
    account: 'loft',
    scope: 'pigeon/loft',
    replyBytes: 500,
    lateBytes: 500,
    replyMs: 1000,
    freshMs: 30_000,
    tellLate: async ({ user }, text) => void sent.push({ user, text }),
    tell: async (user, text) => void sent.push({ user, text }),
    departments: async () => [],
    ...overrides,
  };
  const pigeon: Pigeon = {
    ...channel,
    sent,
    message(user, text, createdAt) {
      messages += 1;
      const trace = `${messages}`.padStart(8, '0');
      return { channel: pigeon, user, msgId: `${messages}`, createdAt, text, trace };
    },
  };
  return pigeon;
}
