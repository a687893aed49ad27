import { createBatcher } from '../../server/batch.ts';
import type { Redis } from '../../server/redis.ts';
import { type Lane, lanes, type Receiver } from '../content/message.ts';
import type { Database } from '../database/database.ts';
import { dayOf, limitKind } from './limits-kinds.ts';
import { type Restored, restoreLimits } from './limits-restore.ts';
import { answers, BLOCK, MINUTE, SETTLE, TAKE } from './limits-scripts.ts';

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
  readonly account: string;
  /** Stands in the names in Redis: different for each account. */
  readonly key: string;
  /** Account limit of the enterprise at this moment; 200 times as many messages may be sent a day. */
  readonly accountLimit: () => number;
  /** What counts as a minute, in ms; 60,000 when left out. */
  readonly minuteMs?: number;
  /** Unix ms. */
  readonly now: () => number;
  readonly newId: (now: number) => string;
  /** Redis had lost what it knew, and this replica has restored the limits: jobs are lost as well. */
  readonly onLost: () => void;
  /** Called for every turn that was denied, for the metrics. */
  readonly onWait?: (wait: { readonly lane: Lane; readonly limit: Limit; readonly ms: number }) => void;
}

/** Receivers of one script call: Redis serves nobody else meanwhile. */
const CHUNK = 500;
/** When to ask again while another replica restores. */
const RESTORING_MS = 1000;
/** Redis may lose the limits again while they are restored; so often it is tried for one who asks. */
const ROUNDS = 3;

/**
 * Makes the limits of one app: each member 30 messages in any 60 s and 1000 in any hour, each robot 20 in any 60 s, and
 * `accountLimit` × 200 person-times a day of Asia/Shanghai, where each member counts one, and @all, a department and a
 * tag count one as well, because only WeCom knows their members. Groups have limits by member (§4.5), which nobody
 * outside WeCom can count: they get their turns.
 *
 * A turn counts from when it is taken until the window has passed since its call ended, for WeCom may have got it at any
 * moment between; one that is never settled counts as if its call had lasted 30 s. A turn that is denied says when it
 * will be free, and is then kept for 2 s from lanes of lower rank. The clocks of the replicas agree within 0.5 s.
 */
export function createLimits(parts: LimitsParts): Limits {
  const { redis, key, accountLimit, minuteMs = MINUTE, now, newId, onLost, onWait } = parts;
  const prefix = `keypad:push:{${key}}:`;
  const { keypadTake, keypadSettle, keypadBlock } = withScripts(redis);

  let restoring: Promise<Restored> | null = null;
  const restore = () => {
    restoring ??= restoreLimits({ ...parts, prefix })
      .then((restored) => {
        if (restored === 'restored') onLost();
        return restored;
      })
      .finally(() => {
        restoring = null;
      });
    return restoring;
  };

  /** Null when Redis has lost the limits. */
  const takeAll = async (lane: Lane, receivers: readonly Receiver[]): Promise<readonly Turn[] | null> => {
    const turns: Turn[] = [];
    // Without receivers it still looks whether Redis knows the limits.
    for (let from = 0; from === 0 || from < receivers.length; from += CHUNK) {
      const chunk = receivers.slice(from, from + CHUNK);
      const at = now();
      const day = dayOf(at);
      const ticket = `${day.number}.${newId(at)}.`;
      const ofToday = [day.number, accountLimit() * 200, day.endsAt - at];
      const head = [at, lanes.indexOf(lane), ticket, ...ofToday, minuteMs];
      const pairs = chunk.flatMap((receiver) => [limitKind(receiver), receiver]);
      const answers = await keypadTake(prefix, ...head, ...pairs);
      if (answers === null) return null;
      turns.push(
        ...chunk.map((receiver, i) => readTurn(receiver, ticket, answers.slice(2 * i, 2 * i + 2), i)),
      );
    }
    return turns;
  };

  const takeOrRestore = async (lane: Lane, receivers: readonly Receiver[]): Promise<readonly Turn[]> => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const turns = await takeAll(lane, receivers);
      if (turns !== null) return turns;
      if ((await restore()) !== 'busy') continue;
      const at = now() + RESTORING_MS;
      return receivers.map((receiver) => ({ receiver, isMine: false, at, limit: 'blocked' }));
    }
    throw new Error('Redis keeps losing the limits: without them nothing is sent');
  };

  const settle = createBatcher<Settled, undefined>(
    async (settled) => {
      const day = dayOf(now());
      const each = settled.flatMap(({ receiver, ticket, outcome }) => [
        limitKind(receiver),
        receiver,
        ticket,
        outcome,
      ]);
      await keypadSettle(prefix, now(), day.number, day.endsAt - now(), ...each);
      return settled.map(() => undefined);
    },
    { size: CHUNK, parallel: 2 },
  );

  // After a restart nobody may ask for a turn, because the jobs are lost as well. What fails here, the next turn meets.
  redis.on('ready', () => void takeOrRestore('bulk', []).catch(() => {}));

  return {
    async take(lane, receivers) {
      const turns = await takeOrRestore(lane, receivers);
      for (const turn of turns) {
        if (!turn.isMine) onWait?.({ lane, limit: turn.limit, ms: turn.at - now() });
      }
      return turns;
    },
    async settle(turns, outcome) {
      await Promise.all(turns.flatMap((turn) => (turn.isMine ? [settle({ ...turn, outcome })] : [])));
    },
    async block(what, untilMs) {
      await keypadBlock(prefix, now(), untilMs, what);
    },
  };
}

interface Settled {
  readonly receiver: Receiver;
  readonly ticket: string;
  readonly outcome: 'sent' | 'unsent';
}

type Script = (...args: readonly (string | number)[]) => Promise<readonly number[] | null>;
type Scripts = { readonly [Name in 'keypadTake' | 'keypadSettle' | 'keypadBlock']: Script };

function withScripts(redis: Redis): Scripts {
  redis.defineCommand('keypadTake', { numberOfKeys: 1, lua: TAKE });
  redis.defineCommand('keypadSettle', { numberOfKeys: 1, lua: SETTLE });
  redis.defineCommand('keypadBlock', { numberOfKeys: 1, lua: BLOCK });
  const scripts = redis as unknown as Scripts;
  return {
    keypadTake: scripts.keypadTake.bind(redis),
    keypadSettle: scripts.keypadSettle.bind(redis),
    keypadBlock: scripts.keypadBlock.bind(redis),
  };
}

/** The script answers a number for the verdict, and when to ask again. */
function readTurn(receiver: Receiver, ticket: string, answered: readonly number[], index: number): Turn {
  const [answer = -1, at = 0] = answered;
  const limit = answers[answer];
  if (limit === undefined) throw new Error('the script of the limits answered with a number unknown here');
  if (limit === 'mine') return { receiver, isMine: true, ticket: `${ticket}${index}` };
  return { receiver, isMine: false, at: limit === 'day' ? at + spread(receiver) : at, limit };
}

/** From 1 s to a minute after midnight, the same for a receiver each time: not all at :00 (§4.12). */
function spread(receiver: Receiver): number {
  let sum = 0;
  for (const sign of receiver) sum = (sum * 31 + sign.charCodeAt(0)) % 59_000;
  return 1000 + sum;
}
