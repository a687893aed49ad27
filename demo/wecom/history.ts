import type { Clock } from './app.ts';
import type { Shown, View } from './view.ts';

/**
 * One message on a member's phone, seen from the phone: `out` is what the member sent, `in` what arrived, as the passive
 * reply to a callback or pushed. `user` is also `chat:CHATID` or `robot:NAME`, for what groups show. `id` grows with every
 * message, `time` is Unix milliseconds.
 */
export interface Message {
  readonly id: number;
  readonly user: string;
  readonly direction: 'in' | 'out';
  readonly kind: 'sent' | 'passive' | 'push';
  readonly text: string;
  readonly time: number;
  readonly msgid: string;
  /** There when WeCom cut the text at 2048 bytes. */
  readonly cut?: true;
  /** There when a phone shows more than the text. */
  readonly view?: View;
}

/** What every member's phone shows, for the last messages of each. */
export interface History {
  add(message: Omit<Message, 'id' | 'time'>): Message;
  /** The messages of one member, oldest first. */
  list(user: string): readonly Message[];
  /** The messages of all members later than that id, in order. */
  after(id: number): readonly Message[];
  /** Takes a pushed message off every phone. */
  recall(msgid: string): void;
  /** Shows something else in the place of a pushed message, with the same id, to those users who have it. */
  change(msgid: string, users: readonly string[], shown: Shown): void;
  /** Calls `listener` for each message to come, or that changes, and `onRecall` for each msgid that is taken back; the answer ends that. */
  subscribe(listener: (message: Message) => void, onRecall?: (msgid: string) => void): () => void;
}

/** Makes an empty history that keeps the last `limit` messages of each member. */
export function createHistory(clock: Clock, limit = 500): History {
  const byUser = new Map<string, Message[]>();
  const listeners = new Set<{ hear: (message: Message) => void; recall?: (msgid: string) => void }>();
  // Counting from the present keeps ids growing over a restart, so a page that reconnects misses nothing.
  let lastId = clock();

  return {
    add: (fields) => {
      lastId += 1;
      const message = { ...fields, id: lastId, time: clock() };
      const messages = byUser.get(message.user) ?? [];
      byUser.set(message.user, messages);
      messages.push(message);
      if (messages.length > limit) messages.shift();
      for (const { hear } of listeners) hear(message);
      return message;
    },
    list: (user) => [...(byUser.get(user) ?? [])],
    after: (id) =>
      [...byUser.values()]
        .flat()
        .filter((message) => message.id > id)
        .sort((a, b) => a.id - b.id),
    recall: (msgid) => {
      for (const [user, messages] of byUser) {
        const left = messages.filter((message) => message.kind !== 'push' || message.msgid !== msgid);
        if (left.length < messages.length) byUser.set(user, left);
      }
      for (const { recall } of listeners) recall?.(msgid);
    },
    change: (msgid, users, shown) => {
      for (const messages of users.map((user) => byUser.get(user) ?? [])) {
        const at = messages.findIndex((message) => message.kind === 'push' && message.msgid === msgid);
        const old = messages[at];
        if (old === undefined) continue;
        const { id, user, direction, kind, time } = old;
        const message = { id, user, direction, kind, time, msgid, ...shown };
        messages[at] = message;
        for (const { hear } of listeners) hear(message);
      }
    },
    subscribe: (hear, recall) => {
      const listener = recall ? { hear, recall } : { hear };
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
