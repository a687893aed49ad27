import type { Database } from '../database.ts';
import type { Lane, Receiver } from '../message.ts';
import type { Redis } from '../redis.ts';

/** Why a receiver has to wait. `lane`: the next turn belongs to a lane of higher rank. */
export type Limit = 'member' | 'robot' | 'day' | 'blocked' | 'lane';

/** The right to send one message to one receiver, or when to ask for it again (Unix ms). */
export type Turn =
  | { readonly receiver: Receiver; readonly isMine: true; readonly ticket: string }
  | { readonly receiver: Receiver; readonly isMine: false; readonly at: number; readonly limit: Limit };

/** WeCom's limits, kept by all replicas together, because WeCom drops what is over them without a word (§4.12). */
export interface Limits {
  /** One turn for each receiver, in their order. Rejects while Redis is away: without a turn nothing is sent. */
  take(lane: Lane, receivers: readonly Receiver[]): Promise<readonly Turn[]>;
  /** Ends turns after their call: `unsent` gives them back, because WeCom was never reached. */
  settle(turns: readonly Turn[], outcome: 'sent' | 'unsent'): Promise<void>;
  /** Nobody gets a turn of the app, or of one receiver, before `untilMs` (Unix ms). */
  block(what: 'app' | Receiver, untilMs: number): Promise<void>;
}

export interface LimitsParts {
  readonly redis: Redis;
  readonly db: Database;
  readonly agentId: number;
  /** Account limit of the enterprise; 200 times as many messages may be sent a day. */
  readonly accountLimit: number;
  /** Unix ms. */
  readonly now: () => number;
  readonly newId: (now: number) => string;
  /** Redis had lost what it knew, and this replica has restored the limits: jobs are lost as well. */
  readonly onLost: () => void;
  /** Told of every turn that was denied, for the metrics. */
  readonly onWait?: (wait: { readonly lane: Lane; readonly limit: Limit; readonly ms: number }) => void;
}

export declare function createLimits(parts: LimitsParts): Limits;
