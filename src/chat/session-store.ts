import type { Channel } from '../channels/channel.ts';
import { pathOf, type Session } from '../menu/turn/session.ts';
import type { Redis } from '../server/redis.ts';
import { CLAIM_SECONDS, ENTER, LEAVE } from './scripts.ts';

/** Who writes in which channel; every key of a user carries the channel's scope and the user. */
export interface Speaker {
  readonly channel: Pick<Channel, 'scope'>;
  readonly user: string;
}

/** A session as it was read: `version` is the message that wrote it, '' when there is none. */
export interface Stored {
  readonly session: Session | null;
  readonly version: string;
}

/**
 * What is known of a message that was claimed before. `reply` is '' while its first delivery runs, null when that one
 * died; `confirmed` says that something was confirmed with it, `receipts` are the operations whose outcome the reply tells.
 */
export interface Repeat {
  readonly kind: 'repeat';
  readonly reply: string | null;
  readonly confirmed: boolean;
  readonly receipts: readonly string[];
}

/** What claiming a message answers. */
export type Entered = Repeat | { readonly kind: 'wait' } | { readonly kind: 'turn'; readonly stored: Stored };

/** Sessions, message claims and the order of messages, in Redis; one round trip each. No key is without a time to live. */
export interface SessionStore {
  /** Claims a message (once in 600 s) and takes a place in the user's line. */
  enter(speaker: Speaker, msgId: string): Promise<Entered>;
  /** Asks again from a waiting place. */
  askAgain(speaker: Speaker, msgId: string): Promise<Entered>;
  /** What a repeat of a claimed message would get; changes nothing. */
  look(speaker: Speaker, msgId: string): Promise<Entered>;
  /** Writes what the turn came to and leaves the line; answers the newer session instead when another turn came between. */
  leave(speaker: Speaker, msgId: string, ending: Ending): Promise<Stored | null>;
  /** Notes that an operation is confirmed with this message, or with null that it certainly was not run. */
  markConfirmed(speaker: Speaker, msgId: string, id: string | null): Promise<void>;
  /** Keeps the reply, which tells no outcome, for repeats while the turn goes on. */
  keepReply(speaker: Speaker, msgId: string, reply: string): Promise<void>;
  /** Ends a session whatever it is. */
  end(speaker: Speaker): Promise<void>;
}

/** How a turn ends. `reply` undefined leaves what repeats get as it is. */
export interface Ending {
  readonly from: Stored;
  readonly session: Session | null | 'same';
  readonly reply: string | undefined;
  /** The operations whose outcome the reply tells. */
  readonly receipts?: readonly string[];
}

/** Opens the store on a connection. */
export function createSessionStore(redis: Redis): SessionStore {
  const { enter, leave } = withScripts(redis);
  const take = async (speaker: Speaker, msgId: string, claim: '0' | '1' | '?'): Promise<Entered> => {
    const [kind, first, second] = await enter(...keysOf(speaker, msgId), msgId, claim);
    if (kind === 'repeat') return { kind, reply: first ?? null, ...readMark(second) };
    return kind === 'turn' ? { kind, stored: readStored(first, second) } : { kind: 'wait' };
  };
  return {
    enter: (speaker, msgId) => take(speaker, msgId, '1'),
    askAgain: (speaker, msgId) => take(speaker, msgId, '0'),
    look: (speaker, msgId) => take(speaker, msgId, '?'),
    async leave(speaker, msgId, { from, session, reply, receipts = [] }) {
      const mode = session === 'same' ? 'keep' : session === null ? 'end' : 'write';
      const written = mode === 'write' ? (session as Session) : null;
      const path = written === null ? '' : pathOf(written);
      const state = written === null ? '' : JSON.stringify(written);
      const keys = keysOf(speaker, msgId);
      const [kind, newPath, newState] = await leave(
        ...keys,
        msgId,
        mode,
        from.version,
        reply ?? '',
        path,
        state,
        receipts.join(' '),
      );
      return kind === 'conflict' ? readStored(newPath, newState) : null;
    },
    async keepReply(speaker, msgId, reply) {
      const keys = keysOf(speaker, msgId);
      await Promise.all([redis.set(keys[2], reply, 'EX', CLAIM_SECONDS), redis.del(keys[4])]);
    },
    async markConfirmed(speaker, msgId, id) {
      const mark = keysOf(speaker, msgId)[4];
      await (id === null ? redis.del(mark) : redis.set(mark, CONFIRMED, 'EX', CLAIM_SECONDS));
    },
    async end(speaker) {
      const [path, state] = keysOf(speaker, '');
      await redis.del(path, state);
    },
  };
}

type Script = (...args: readonly string[]) => Promise<[kind: string, ...(string | null)[]]>;

function withScripts(redis: Redis): { enter: Script; leave: Script } {
  redis.defineCommand('keypadEnter', { numberOfKeys: 5, lua: ENTER });
  redis.defineCommand('keypadLeave', { numberOfKeys: 5, lua: LEAVE });
  const { keypadEnter, keypadLeave } = redis as unknown as { keypadEnter: Script; keypadLeave: Script };
  return { enter: keypadEnter.bind(redis), leave: keypadLeave.bind(redis) };
}

/** path, state, reply of this message, line, mark of this message; one hash tag, so that they live on one node of a cluster. */
function keysOf({ channel, user }: Speaker, msgId: string): Keys {
  const base = `keypad:{${channel.scope}:${user}}`;
  return [`${base}:path`, `${base}:state`, `${base}:msg:${msgId}`, `${base}:line`, `${base}:mark:${msgId}`];
}

type Keys = readonly [path: string, state: string, reply: string, line: string, mark: string];

/** The mark of a message with which something was confirmed; once its reply tells outcomes, the mark holds their ids. */
const CONFIRMED = '?';

function readMark(mark: string | null | undefined) {
  const receipts = !mark || mark === CONFIRMED ? [] : mark.split(' ');
  return { confirmed: Boolean(mark), receipts };
}

/** Both keys or none: a path without a state, or the other way round, is no session. */
function readStored(path: string | null | undefined, state: string | null | undefined): Stored {
  if (typeof path !== 'string' || typeof state !== 'string') return { session: null, version: '' };
  const end = state.indexOf('\n');
  return { session: JSON.parse(state.slice(end + 1)) as Session, version: state.slice(0, end) };
}
