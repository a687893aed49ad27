import { setTimeout as sleep } from 'node:timers/promises';
import type { PushConfig } from '../config.ts';
import type { Log } from '../server/log.ts';
import type { Keys } from './apps/keys.ts';
import { fill } from './content/fill.ts';
import { newId } from './database/new-id.ts';
import { createDelivery, type Delivery, type DeliveryParts } from './delivery/delivery.ts';
import { windowsOf } from './delivery/limits.ts';
import type { PushMetrics } from './metrics.ts';

/** What the delivery of a process is opened with. */
export interface OpenDeliveryParts extends Pick<DeliveryParts, 'db' | 'accounts' | 'media' | 'webhooks'> {
  readonly config: PushConfig;
  readonly keys: Pick<Keys, 'find'>;
  readonly metrics: PushMetrics;
  readonly log: Log;
}

/** Opens delivery, of which the metrics and the log tell. */
export function openDelivery({ config, keys, metrics, log, ...parts }: OpenDeliveryParts): Delivery {
  const now = Date.now;
  return createDelivery({
    ...parts,
    robots: config.robots.reveal(),
    // While that cannot be asked, what was accepted is sent.
    isDisabled: async (app) => (await keys.find(app).catch(() => undefined))?.enabled === false,
    fill,
    windowsOf: (receiver) => windowsOf(receiver),
    concurrency: config.concurrency,
    sleep,
    now,
    newId: () => newId(now()),
    random: Math.random,
    onAttempt: ({ lane, errcode, ms }) => metrics.sent(lane, errcode, ms / 1000),
    onLimit: ({ limit, ms }) => metrics.waited(limit, ms / 1000),
    onWait: (reason) => metrics.waited(reason, 0),
    onError: (err) => log.error({ err }, 'in the background'),
  });
}
