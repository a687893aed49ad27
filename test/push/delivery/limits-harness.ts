import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPushDatabase } from '#test/push-database.ts';
import { freePort } from '../../../demo/servers/private-process.ts';
import { startRedisServer } from '../../../demo/servers/redis-server.ts';
import type { DeliveryState, Lane, Receiver } from '../../../src/push/content/message.ts';
import type { Database } from '../../../src/push/database/database.ts';
import { newId } from '../../../src/push/database/new-id.ts';
import { createLimits, type Limit, type Limits, type Turn } from '../../../src/push/delivery/limits.ts';
import { createRedis, type Redis } from '../../../src/server/redis.ts';

/** A real Redis that can be restarted, a real database, and a clock that stands still until it is moved. */
export interface LimitsHarness {
  readonly db: Database;
  readonly redis: Redis;
  readonly clock: { now: number };
  readonly lost: { times: number };
  readonly waits: { lane: Lane; limit: Limit; ms: number }[];
  /** A replica with a connection of its own; it has restored, or found, the limits when it is handed out. */
  replica(options?: {
    readonly accountLimit?: number;
    readonly agentId?: number;
    readonly account?: string;
    readonly db?: Database;
  }): Promise<Limits>;
  /** A delivery as the workers leave it. */
  insert(rows: readonly Row[]): Promise<void>;
  /** Ends Redis and starts it anew on its data. */
  restart(): Promise<void>;
  stopRedis(): Promise<void>;
  /** Everything as at the beginning. */
  reset(): Promise<void>;
  end(): Promise<void>;
}

export interface Row {
  readonly account?: string;
  readonly receiver: Receiver;
  readonly state: DeliveryState;
  readonly parts?: number;
  readonly tries?: number;
  readonly finished_at?: number;
}

/** Noon in Shanghai. */
export const NOON = Date.UTC(2026, 10, 20, 4);
export const AGENT = 1000002;

export async function openLimitsHarness(): Promise<LimitsHarness> {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-limits-'));
  const port = await freePort();
  let server = await startRedisServer({ directory, port });
  const { db, drop } = await openPushDatabase();
  const redis = createRedis(server.url);
  redis.on('error', () => {});
  const connections: Redis[] = [];
  const clock = { now: NOON };
  const lost = { times: 0 };
  const waits: LimitsHarness['waits'] = [];

  const disconnect = () => {
    for (const connection of connections.splice(0)) connection.disconnect();
  };
  return {
    db,
    redis,
    clock,
    lost,
    waits,
    async replica({ accountLimit = 500, agentId = AGENT, account = 'default', db: otherDb = db } = {}) {
      const connection = createRedis(server.url);
      connection.on('error', () => {});
      connections.push(connection);
      await connection.ping();
      const limits = createLimits({
        redis: connection,
        db: otherDb,
        account,
        key: `${agentId}`,
        accountLimit: () => accountLimit,
        now: () => clock.now,
        newId,
        onLost: () => {
          lost.times += 1;
        },
        onWait: (wait) => waits.push(wait),
      });
      if (otherDb === db) await limits.take('bulk', []);
      return limits;
    },
    async insert(rows) {
      for (let from = 0; from < rows.length; from += 2000) {
        const page = rows.slice(from, from + 2000).map((row, index) => ({
          message_id: newId(clock.now),
          line: null,
          busy: row.state === 'sending' ? `bulk ${row.receiver} ${from + index}` : null,
          since: clock.now,
          due_at: clock.now,
          ...row,
        }));
        await db.insertInto('deliveries').values(page).execute();
      }
    },
    async restart() {
      await server.stop();
      server = await startRedisServer({ directory, port });
    },
    stopRedis: () => server.stop(),
    async reset() {
      disconnect();
      await redis.flushall();
      await db.deleteFrom('deliveries').execute();
      clock.now = NOON;
      lost.times = 0;
      waits.length = 0;
    },
    async end() {
      disconnect();
      redis.disconnect();
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
      await drop();
    },
  };
}

/** Each of `count` messages to one receiver. */
export function times(count: number, receiver: Receiver): readonly Receiver[] {
  return Array.from({ length: count }, () => receiver);
}

export function mine(turns: readonly Turn[]): readonly Turn[] {
  return turns.filter(({ isMine }) => isMine);
}

/** Why and until when (ms after `from`) the first denied turn has to wait. */
export function denial(turns: readonly Turn[], from: number): { limit: Limit; after: number } | null {
  const denied = turns.find((turn) => !turn.isMine);
  return denied && !denied.isMine ? { limit: denied.limit, after: denied.at - from } : null;
}

/** The most moments that any stretch of `ms` holds. */
export function mostWithin(moments: readonly number[], ms: number): number {
  return Math.max(...moments.map((from) => moments.filter((at) => at >= from && at < from + ms).length));
}
