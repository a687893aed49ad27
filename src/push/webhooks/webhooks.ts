import { createLoop } from '../../server/loop.ts';
import type { Tx } from '../database/database.ts';
import { type TellParts, tell } from './post.ts';
import { type Callback, endTry, insertCallbacks, pruneCallbacks, takeCallbacks } from './webhook-store.ts';

export type ResultTeller = ReturnType<typeof createWebhooks>;
/** What whoever finishes messages needs of it. */
export type Webhooks = Pick<ResultTeller, 'note' | 'wake'>;

export interface ResultParts extends TellParts {
  /** How often it looks for what is due when nothing wakes it; 500 ms. */
  readonly pollMs?: number;
  /** Called after every try: `delivered`, `retried`, `expired` or `refused`. */
  readonly onCall: (result: string) => void;
  readonly onError: (error: unknown) => void;
}

const POLL_MS = 500;
/** At most so many at once, and to one host, so that a dead one leaves room for others. */
const AT_ONCE = 64;
const PER_HOST = 4;
/** Longer than one try can take, waiting for the database included. */
const LEASE_MS = 30_000;
const KEPT_MS = 7 * 86_400_000;

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

  /** Takes what is due, as far as there is room; resolves to whether there may be more to take. */
  async function takeSome(): Promise<boolean> {
    const count = AT_ONCE - underWay.size;
    if (count <= 0) return false;
    const at = now();
    const { due, ours } = await takeCallbacks(db, {
      now: at,
      until: at + LEASE_MS,
      owner: newId(),
      count,
      perHost: PER_HOST,
      underWay: [...underWay.values()],
    });
    for (const callback of ours) begin(callback);
    return due === count && ours.length > 0;
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
