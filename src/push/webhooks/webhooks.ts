import { NoAnswer } from '../../errors.ts';
import type { SendHttp } from '../../server/http-client.ts';
import { createLoop } from '../../server/loop.ts';
import type { Keys } from '../apps/keys.ts';
import { signResult } from '../apps/signature.ts';
import type { Database, Tx } from '../database/database.ts';
import { readOutcome } from './outcome-store.ts';
import {
  type Callback,
  endTry,
  insertCallbacks,
  pruneCallbacks,
  takeCallbacks,
  type Verdict,
} from './webhook-store.ts';

export type ResultTeller = ReturnType<typeof createWebhooks>;
/** What whoever finishes messages needs of it. */
export type Webhooks = Pick<ResultTeller, 'note' | 'wake'>;

export interface ResultParts {
  readonly db: Database;
  readonly keys: Pick<Keys, 'find' | 'newestKey'>;
  readonly send: SendHttp;
  /** Unix ms. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly newId: () => string;
  /** How often it looks for what others have left; 1 s. What it tries again itself it does at its time. */
  readonly pollMs?: number;
  /** Called after every try: `delivered`, `retried`, `expired` or `refused`. */
  readonly onCall: (result: string) => void;
  readonly onError: (error: unknown) => void;
}

const POLL_MS = 1000;
const KEPT_MS = 7 * 86_400_000;
/** How long an answer may take; slow hosts hold up nobody for longer. */
const ANSWER_MS = 5000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 900_000;
const GIVEN_UP_AFTER_MS = 86_400_000;

/** What the states of the table, which older versions share, are called outside of it. */
const words = {
  open: 'retried',
  told: 'delivered',
  lost: 'expired',
  refused: 'refused',
  void: 'void',
} as const;

/** Makes what posts to apps what became of their messages, at the address they gave. */
export function createWebhooks(parts: ResultParts) {
  const { db, now, newId, onCall, onError, pollMs = POLL_MS } = parts;
  /** What is under way, with its host. */
  const underWay = new Map<Promise<void>, string>();
  const loop = createLoop({ restMs: pollMs, work: takeSome, onError });

  /** Takes what is due, as far as there is room. */
  async function takeSome(): Promise<void> {
    const hosts = [...underWay.values()];
    for (const callback of await takeCallbacks(db, hosts, { now: now(), owner: newId() })) begin(callback);
  }

  function begin(callback: Callback): void {
    const work: Promise<void> = tryOnce(callback).finally(() => {
      underWay.delete(work);
      loop.wake();
    });
    underWay.set(work, callback.host);
  }

  async function tryOnce(callback: Callback): Promise<void> {
    try {
      const verdict = await tell(parts, callback);
      await endTry(db, callback, verdict, now());
      if (verdict.state === 'open') setTimeout(loop.wake, verdict.dueAt - now()).unref();
      if (verdict.state !== 'void') onCall(words[verdict.state]);
    } catch (error) {
      // Our own trouble, most likely the database's: the lease ends by itself, and then it is tried again.
      onError(error);
    }
  }

  return {
    /** Makes webhooks due, in the transaction that finishes these messages, for those that have an address. */
    note: (tx: Tx, messageIds: readonly string[]): Promise<void> => insertCallbacks(tx, messageIds, now()),
    /** After that transaction: there may be something to post. */
    wake: loop.wake,
    /** Begins to post; any number of replicas may, each callback is one's at a time. */
    start(): void {
      loop.wake();
      loop.start();
    },
    /** Removes what ended a week ago; to be called every hour or so. */
    prune: (): Promise<void> => pruneCallbacks(db, now() - KEPT_MS),
    /** Takes no more, and resolves when what is under way has ended. */
    async close(): Promise<void> {
      await loop.stop();
      await Promise.all(underWay.keys());
    },
  };
}

/** Tries once to tell what became of a message. Throws only what is our own trouble. */
async function tell(parts: ResultParts, callback: Callback): Promise<Verdict> {
  const { db, keys, now } = parts;
  const found = await readOutcome(db, callback.messageId);
  if (found === null) return { state: 'void', error: 'there is nothing to post: it is open again, or gone' };
  const { url, outcome } = found;
  // The list may have changed since the message came.
  const app = await keys.find(callback.app);
  if (!app?.callbackHosts.includes(url.hostname) || url.username !== '' || url.password !== '') {
    return { state: 'refused', error: `the host is not on the list of the app "${callback.app}"` };
  }
  const key = await keys.newestKey(callback.app);
  if (key === undefined) return again(parts, callback, `the app "${callback.app}" has no key to sign with`);
  const body = JSON.stringify(outcome);
  const target = `${url.pathname}${url.search}`;
  const signed = { method: 'POST', target, body, now: now(), nonce: parts.newId() };
  const headers = { 'content-type': 'application/json', ...signResult({ app: callback.app, key }, signed) };
  try {
    // A redirect is not followed: it could lead to a host that is not on the list.
    const request = { method: 'POST', url, headers, body, timeoutMs: ANSWER_MS, maxBytes: 0 } as const;
    const { status } = await parts.send(request);
    return status >= 200 && status < 300 ? { state: 'told' } : again(parts, callback, `HTTP ${status}`);
  } catch (error) {
    // Without any word of the other side.
    return again(parts, callback, error instanceof NoAnswer ? error.message : 'no answer');
  }
}

/** 0.5 s, 1 s, 2 s … up to 15 min, each up to a fifth longer so that not all come at once; for a day. */
function again({ now, random }: ResultParts, { tries, notedAt }: Callback, error: string): Verdict {
  const wait = Math.min(FIRST_WAIT_MS * 2 ** Math.min(tries - 1, 20), LONGEST_WAIT_MS);
  const dueAt = now() + Math.round(wait * (1 + random() / 5));
  return dueAt > notedAt + GIVEN_UP_AFTER_MS ? { state: 'lost', error } : { state: 'open', dueAt, error };
}
