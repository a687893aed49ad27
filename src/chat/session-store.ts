import type { Channel, Incoming } from '../channels/channel.ts';
import { pathOf, type Session } from '../menu/turn/session.ts';
import type { Redis } from '../server/redis.ts';
import { CLAIM_SECONDS, ENTER, LEAVE } from './scripts.ts';

/** A message and who wrote it; every key of a user carries the channel's scope and the user. */
type Message = Pick<Incoming, 'user' | 'msgId'> & { readonly channel: Pick<Channel, 'scope'> };
/** One delivery of a message: each of them has a trace of its own. */
type Delivery = Message & Pick<Incoming, 'trace'>;

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

type Entered = Repeat | { readonly kind: 'wait' } | { readonly kind: 'turn'; readonly stored: Stored };

/** How a turn ends. `reply` undefined leaves what repeats get as it is. */
export interface Ending {
  readonly from: Stored;
  readonly session: Session | null | 'same';
  readonly reply: string | undefined;
  /** The operations whose outcome the reply tells. */
  readonly receipts?: readonly string[];
}

/** Sessions, message claims and the order of messages. */
export type SessionStore = ReturnType<typeof createSessionStore>;

/** Opens sessions, message claims and the order of messages, in Redis; one round trip each. No key is without a time to live. */
export function createSessionStore(redis: Redis) {
  const { enter, leave } = withScripts(redis);
  const take = async (message: Message, claim: '0' | '1' | '?', delivery = ''): Promise<Entered> => {
    const [kind, first, second] = await enter(...keysOf(message), message.msgId, claim, delivery);
    if (kind === 'repeat') {
      const receipts = !second || second === CONFIRMED ? [] : second.split(' ');
      return { kind, reply: first ?? null, confirmed: Boolean(second), receipts };
    }
    return kind === 'turn' ? { kind, stored: readStored(first, second) } : { kind: 'wait' };
  };
  return {
    /** Claims a message (once in 600 s) and takes a place in the user's line. */
    enter: (message: Delivery) => take(message, '1', message.trace),
    /** Asks again from a waiting place. */
    askAgain: (message: Message) => take(message, '0'),
    /** What a repeat of a claimed message would get; changes nothing. */
    look: (message: Message) => take(message, '?'),
    /** Writes what the turn came to and leaves the line; answers the newer session instead when another turn came between. */
    async leave(message: Message, ending: Ending): Promise<Stored | null> {
      const { from, session, reply = '', receipts = [] } = ending;
      const mode = session === 'same' ? 'keep' : session === null ? 'end' : 'write';
      const isWritten = session !== 'same' && session !== null;
      const written = isWritten ? [pathOf(session), JSON.stringify(session)] : ['', ''];
      const turn = [message.msgId, mode, from.version, reply, ...written, receipts.join(' ')];
      const [kind, newPath, newState] = await leave(...keysOf(message), ...turn);
      return kind === 'conflict' ? readStored(newPath, newState) : null;
    },
    /**
     * Leaves the line without a turn, with a reply if there is none yet. Does nothing when another delivery of the message
     * holds the claim, or nobody does.
     */
    async letGo(message: Delivery, reply: string): Promise<void> {
      await leave(...keysOf(message), message.msgId, 'letGo', message.trace, reply, '', '', '');
    },
    /** Keeps the reply, which tells no outcome, for repeats while the turn goes on. */
    async keepReply(message: Message, reply: string): Promise<void> {
      const keys = keysOf(message);
      await Promise.all([redis.set(keys[2], reply, 'EX', CLAIM_SECONDS), redis.del(keys[4])]);
    },
    /** Notes that an operation is confirmed with this message, or with null that it certainly was not run. */
    async markConfirmed(message: Message, id: string | null): Promise<void> {
      const mark = keysOf(message)[4];
      await (id === null ? redis.del(mark) : redis.set(mark, CONFIRMED, 'EX', CLAIM_SECONDS));
    },
    /** Ends a session whatever it is. */
    async end(message: Message): Promise<void> {
      const [path, state] = keysOf(message);
      await redis.del(path, state);
    },
  };
}

type Script = (...args: readonly string[]) => Promise<[kind: string, ...(string | null)[]]>;

function withScripts(redis: Redis): { enter: Script; leave: Script } {
  redis.defineCommand('keypadEnter', { numberOfKeys: 6, lua: ENTER });
  redis.defineCommand('keypadLeave', { numberOfKeys: 6, lua: LEAVE });
  const { keypadEnter, keypadLeave } = redis as unknown as { keypadEnter: Script; keypadLeave: Script };
  return { enter: keypadEnter.bind(redis), leave: keypadLeave.bind(redis) };
}

/** Three keys of the user and three of this message; one hash tag, so that they live on one node of a cluster. */
function keysOf({ channel, user, msgId }: Message): Keys {
  const base = `keypad:{${channel.scope}:${user}}`;
  const [reply, mark, owner] = [`${base}:msg:${msgId}`, `${base}:mark:${msgId}`, `${base}:owner:${msgId}`];
  return [`${base}:path`, `${base}:state`, reply, `${base}:line`, mark, owner];
}

type Keys = readonly [path: string, state: string, reply: string, line: string, mark: string, owner: string];

/** The mark of a message with which something was confirmed; once its reply tells outcomes, the mark holds their ids. */
const CONFIRMED = '?';

/** Both keys or none: a path without a state, or the other way round, is no session. */
function readStored(path: string | null | undefined, state: string | null | undefined): Stored {
  if (typeof path !== 'string' || typeof state !== 'string') return { session: null, version: '' };
  const end = state.indexOf('\n');
  return { session: JSON.parse(state.slice(end + 1)) as Session, version: state.slice(0, end) };
}
