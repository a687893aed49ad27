import type { Channel, Incoming } from '../channels/channel.ts';
import { pathOf, type Session } from '../menu/turn/session.ts';
import type { Redis } from '../server/redis.ts';
import { ENTER, LEAVE, PUT, TAKE_OVER } from './scripts.ts';
import { sentences } from './sentences.ts';

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
 * died; `isPromise` says that it is no answer, which follows; `confirmed` says that something was confirmed with it, `receipts` are the operations whose outcome the reply tells.
 */
export interface Repeat {
  readonly kind: 'repeat';
  readonly reply: string | null;
  readonly isPromise: boolean;
  readonly confirmed: boolean;
  readonly receipts: readonly string[];
}

/** `full`: as many messages of this user wait as may; this one is answered with {@link sentences.tooFast}, and its repeats are. */
type Entered =
  | Repeat
  | { readonly kind: 'wait' | 'full' }
  | { readonly kind: 'turn'; readonly stored: Stored };

/** How a turn ends. `reply` undefined leaves what repeats get as it is. */
export interface Ending {
  readonly from: Stored;
  readonly session: Session | null | 'same';
  readonly reply: string | undefined;
  /** The operations whose outcome the reply tells. */
  readonly receipts?: readonly string[];
}

/**
 * What became of an ending. `left`: it is written; `isAwaited` when a repeat was answered by nothing meanwhile. `conflict`:
 * another turn came between. `taken`: others took this delivery for dead, and have answered so.
 */
export type Left =
  | { readonly kind: 'left'; readonly isAwaited: boolean }
  | { readonly kind: 'conflict'; readonly newer: Stored }
  | { readonly kind: 'taken'; readonly reply: string };

/** Sessions, message claims and the order of messages. */
export type SessionStore = ReturnType<typeof createSessionStore>;

/** Opens sessions, message claims and the order of messages, in Redis; one round trip each. No key is without a time to live. */
export function createSessionStore(redis: Redis) {
  const { enter, leave, put, takeOver } = withScripts(redis);
  const take = async (message: Message, claim: '0' | '1' | '?', delivery = ''): Promise<Entered> => {
    const words = [message.msgId, claim, delivery, sentences.tooFast];
    const [kind, first, second] = await enter(...keysOf(message), ...words);
    if (kind === 'repeat') {
      const isPromise = first === PROMISE;
      const reply = isPromise ? sentences.working : (first ?? null);
      return { kind, reply, isPromise, confirmed: Boolean(second), receipts: receiptsOf(second) };
    }
    if (kind === 'turn') return { kind, stored: readStored(first, second) };
    return { kind: kind === 'full' ? kind : 'wait' };
  };
  return {
    /** Claims a message (once in 600 s) and takes a place in the user's line, if there is one. */
    enter: (message: Delivery) => take(message, '1', message.trace),
    /** Asks again from a waiting place. */
    askAgain: (message: Message) => take(message, '0'),
    /** What a repeat of a claimed message would get; changes nothing. */
    look: async (message: Message) => (await take(message, '?')) as Repeat,
    /** Writes what the turn came to and leaves the line. */
    async leave(message: Delivery, ending: Ending): Promise<Left> {
      const { from, session, reply = '', receipts = [] } = ending;
      const mode = session === 'same' ? 'keep' : session === null ? 'end' : 'write';
      const isWritten = session !== 'same' && session !== null;
      const written = isWritten ? [pathOf(session), JSON.stringify(session)] : ['', ''];
      const turn = [message.msgId, mode, from.version, reply, ...written, receipts.join(' '), message.trace];
      const [kind, first, second] = await leave(...keysOf(message), ...turn);
      if (kind === 'conflict') return { kind, newer: readStored(first, second) };
      return kind === 'taken' ? { kind, reply: first ?? '' } : { kind: 'left', isAwaited: first === '+' };
    },
    /**
     * Leaves the line without a turn, with a reply, or the promise of one, if there is none yet. Does nothing when another delivery of the message
     * holds the claim, or nobody does.
     */
    async letGo(message: Delivery, reply = PROMISE): Promise<void> {
      await leave(...keysOf(message), message.msgId, 'letGo', '', reply, '', '', '', message.trace);
    },
    /** Keeps for repeats, while the turn goes on, that the answer was promised. */
    async keepPromise(message: Delivery): Promise<void> {
      await put(...keysOf(message), message.trace, 'reply', PROMISE);
    },
    /**
     * Notes that an operation is confirmed with this message, or with null that it certainly was not run. Answers whether
     * it may be run: not when others took this delivery for dead.
     */
    async markConfirmed(message: Delivery, id: string | null): Promise<boolean> {
      const [kind] = await put(...keysOf(message), message.trace, 'mark', id === null ? '' : CONFIRMED);
      return kind === 'put';
    },
    /**
     * Answers what the writer of a message has to hear whose delivery died, or null when the platform tells it. What that
     * delivery has not finished is ended, and it can run and write nothing more.
     */
    async takeOver(message: Message): Promise<string | null> {
      const endings = [message.msgId, sentences.lost, sentences.confirmationLost];
      const [kind, reply, mark] = await takeOver(...keysOf(message), ...endings);
      if (kind === 'gone') return sentences.interrupted;
      const isToldByOthers = receiptsOf(mark).length > 0 || reply === PROMISE || !reply;
      return isToldByOthers ? null : reply;
    },
    /** Ends a session whatever it is. */
    async end(message: Message): Promise<void> {
      const [path, state] = keysOf(message);
      await redis.del(path, state);
    },
  };
}

type Script = (...args: readonly string[]) => Promise<[kind: string, ...(string | null)[]]>;

function withScripts(redis: Redis) {
  const define = (name: string, lua: string): Script => {
    redis.defineCommand(name, { numberOfKeys: 6, lua });
    return (redis as unknown as Readonly<Record<string, Script>>)[name]?.bind(redis) as Script;
  };
  return {
    enter: define('keypadEnter', ENTER),
    leave: define('keypadLeave', LEAVE),
    put: define('keypadPut', PUT),
    takeOver: define('keypadTakeOver', TAKE_OVER),
  };
}

/** Three keys of the user and three of this message; one hash tag, so that they live on one node of a cluster. */
function keysOf({ channel, user, msgId }: Message): Keys {
  const base = `keypad:{${channel.scope}:${user}}`;
  const [reply, mark, owner] = [`${base}:msg:${msgId}`, `${base}:mark:${msgId}`, `${base}:owner:${msgId}`];
  return [`${base}:path`, `${base}:state`, reply, `${base}:line`, mark, owner];
}

type Keys = readonly [path: string, state: string, reply: string, line: string, mark: string, owner: string];

/**
 * Stands in Redis instead of a reply that was promised. No reply ends in a line end, so none is taken for it; an older
 * replica hands it out as it is. Its words stay, whatever people are told.
 */
const PROMISE = '处理中…结果稍后发给你。\n';

/** The mark of a message with which something was confirmed; once its reply tells outcomes, the mark holds their ids. */
const CONFIRMED = '?';

function receiptsOf(mark: string | null | undefined): readonly string[] {
  return !mark || mark === CONFIRMED ? [] : mark.split(' ');
}

/** Both keys or none: a path without a state, or the other way round, is no session. */
function readStored(path: string | null | undefined, state: string | null | undefined): Stored {
  if (typeof path !== 'string' || typeof state !== 'string') return { session: null, version: '' };
  const end = state.indexOf('\n');
  return { session: JSON.parse(state.slice(end + 1)) as Session, version: state.slice(0, end) };
}
