import { createLoop } from '../../server/loop.ts';
import type { Tx } from '../database/database.ts';
import { type TellParts, tell } from './post.ts';
import { type Callback, endTry, insertCallbacks, pruneCallbacks, takeCallbacks } from './webhook-store.ts';

/** Tells apps what became of their messages, at the address they gave. */
export interface Webhooks {
  /** Makes webhooks due, in the transaction that finishes these messages, for those that have an address. */
  note(tx: Tx, messageIds: readonly string[]): Promise<void>;
  /** After that transaction: there may be something to tell. */
  wake(): void;
}

/** Webhooks, and the loop that tells them. */
export interface ResultTeller extends Webhooks {
  /** Begins to tell; any number of replicas may, each callback is one's at a time. */
  start(): void;
  /** Removes what ended a week ago; to be called every hour or so. */
  prune(): Promise<void>;
  /** Takes no more, and resolves when what is under way has ended. */
  close(): Promise<void>;
}

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

/** Makes the teller of results. */
export function createWebhooks(parts: ResultParts): ResultTeller {
  const { db, now, newId, onCall, onError, pollMs = POLL_MS } = parts;
  /** What is under way, by host. */
  const underWay = new Map<string, Set<Promise<void>>>();
  let isClosed = false;

  const busy = (): readonly Promise<void>[] => [...underWay.values()].flatMap((set) => [...set]);
  const busyByHost = () => new Map([...underWay].map(([host, set]) => [host, set.size] as const));
  const loop = createLoop({ restMs: pollMs, work: takeMore, onError });

  /** Takes what is due, as long as there is room; a host that has its share is left out. */
  async function takeMore(): Promise<void> {
    while (!isClosed) {
      const count = AT_ONCE - busy().length;
      if (count <= 0) return;
      const at = now();
      const { due, ours } = await takeCallbacks(db, {
        now: at,
        until: at + LEASE_MS,
        owner: newId(),
        count,
        perHost: PER_HOST,
        underWay: busyByHost(),
      });
      for (const callback of ours) begin(callback);
      if (due < count || ours.length === 0) return;
    }
  }

  function begin(callback: Callback): void {
    const { host } = callback;
    const set = underWay.get(host) ?? new Set();
    underWay.set(host, set);
    const work: Promise<void> = tryOnce(callback).finally(() => {
      set.delete(work);
      if (set.size === 0) underWay.delete(host);
      loop.wake();
    });
    set.add(work);
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
    note: (tx, messageIds) => insertCallbacks(tx, messageIds, now()),
    wake: loop.wake,
    start() {
      loop.wake();
      loop.start();
    },
    prune: () => pruneCallbacks(db, now() - KEPT_MS),
    async close() {
      isClosed = true;
      await loop.stop();
      await Promise.all(busy());
    },
  };
}
