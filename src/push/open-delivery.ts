import { setTimeout as sleep } from 'node:timers/promises';
import type { PushAccount } from '../config/accounts.ts';
import type { PushConfig } from '../config.ts';
import type { Log } from '../server/log.ts';
import { createWaitingRedis } from '../server/redis.ts';
import type { Keys } from './apps/keys.ts';
import { fill } from './content/fill.ts';
import { newId } from './database/new-id.ts';
import { createBreaker } from './delivery/breaker.ts';
import { createDelivery, type Delivery, type DeliveryParts } from './delivery/delivery.ts';
import { createLimits } from './delivery/limits.ts';
import type { PushMetrics } from './metrics.ts';

/** What the delivery of a process is opened with. */
export interface OpenDeliveryParts
  extends Pick<DeliveryParts, 'db' | 'redis' | 'messenger' | 'media' | 'webhooks'> {
  readonly config: PushConfig;
  readonly account: PushAccount;
  readonly keys: Pick<Keys, 'find'>;
  readonly metrics: PushMetrics;
  readonly log: Log;
}

/** Opens delivery with WeCom's limits and a circuit breaker, all of which the metrics and the log tell of. */
export function openDelivery({
  config,
  account,
  db,
  redis,
  keys,
  messenger,
  media,
  webhooks,
  metrics,
  log,
}: OpenDeliveryParts): Delivery {
  const now = Date.now;
  const report = (err: unknown): void => log.error({ err }, 'in the background');
  const breaker = createBreaker({
    now,
    onChange(state) {
      metrics.breaker(state);
      log.warn({ state }, 'circuit breaker');
    },
  });
  const limits = createLimits({
    redis,
    db,
    agentId: account.agentId,
    accountLimit: account.accountLimit,
    now,
    newId,
    onLost() {
      log.warn('Redis knew no limits: it is new, or was emptied; limits and jobs are restored from MySQL');
      void delivery.sweepAll().catch(report);
    },
    onWait: ({ limit, ms }) => metrics.waited(limit, ms / 1000),
  });
  const delivery: Delivery = createDelivery({
    db,
    redis,
    openWaiting: () => createWaitingRedis(config.redisUrl.reveal()),
    messenger,
    robots: config.robots.reveal(),
    limits,
    breaker,
    media,
    webhooks,
    // While that cannot be asked, what was accepted is sent.
    isDisabled: async (app) => (await keys.find(app).catch(() => undefined))?.enabled === false,
    fill,
    concurrency: config.concurrency,
    sleep,
    now,
    newId: () => newId(now()),
    random: Math.random,
    onAttempt: ({ lane, errcode, ms }) => metrics.sent(lane, errcode, ms / 1000),
    onWait: (reason) => metrics.waited(reason, 0),
    onError: report,
  });
  return delivery;
}
