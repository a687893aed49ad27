import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import type { PushConfig } from '../config.ts';
import { createHttpClient } from '../server/http-client.ts';
import type { Log } from '../server/log.ts';
import { createLoop } from '../server/loop.ts';
import { createSources } from '../server/sources.ts';
import { createKeys } from './apps/keys.ts';
import { createCampaigns } from './campaigns/campaigns.ts';
import { fill } from './content/fill.ts';
import { openDatabase } from './database/database.ts';
import { migrate } from './database/migrations.ts';
import { newId } from './database/new-id.ts';
import { directoryRoutes } from './directory/routes.ts';
import { accountRoutes } from './http/accounts.ts';
import { createRates, SETTLE_MS } from './http/rates.ts';
import { createApi } from './http/server.ts';
import { createFetchImage } from './media/fetch-image.ts';
import { createMedia } from './media/media.ts';
import { mediaRoutes } from './media/routes.ts';
import { messageRoutes } from './messages/message-routes.ts';
import { createPushMetrics } from './metrics.ts';
import { openAccounts } from './open-accounts.ts';
import { purgeRounds } from './purge.ts';
import { windowsOf } from './queue/limits.ts';
import { createDelivery, type Delivery } from './sending/delivery.ts';
import { templateRoutes } from './templates/routes.ts';
import { createTemplates } from './templates/template-store.ts';
import { createWebhooks } from './webhooks/webhooks.ts';

/** Running message delivery. */
export type Push = Awaited<ReturnType<typeof createPush>>;

interface PushParts {
  readonly config: PushConfig;
  readonly log: Log;
  readonly registry: Registry;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/**
 * Puts message delivery together, and brings its database to the form that this version needs.
 * Throws a ConfigError that says what to mend.
 */
export async function createPush({ config, log, registry }: PushParts) {
  const now = Date.now;
  const metrics = createPushMetrics(registry);
  const report = (err: unknown): void => log.error({ err }, 'in the background');
  const robots = config.robots.reveal();
  const http = createHttpClient({
    httpProxy: config.httpProxy.reveal(),
    httpsProxy: config.httpsProxy.reveal(),
    noProxy: config.noProxy,
  });
  const mysqlUrl = config.mysqlUrl.reveal();
  await prepareDatabase(mysqlUrl);
  const db = openDatabase(mysqlUrl, { onRetry: metrics.transactionRetried });
  const common = { db, now, random: Math.random, sleep, newId: () => newId(now()), onError: report };

  const accounts = openAccounts({ config, send: http.send, db, metrics, log });

  const keys = createKeys({ db, masterKey: config.masterKey.reveal(), now, log });
  const templates = createTemplates({ db, now });
  const media = createMedia({ ...common, messengerOf: accounts.messengerOf, robots });
  const webhooks = createWebhooks({ ...common, keys, send: http.send, onCall: metrics.resultCallback });
  const delivery = createDelivery({
    ...common,
    accounts,
    media,
    webhooks,
    robots,
    // While that cannot be asked, what was accepted is sent.
    isDisabled: async (app) => (await keys.find(app).catch(() => undefined))?.enabled === false,
    fill,
    windowsOf,
    concurrency: config.concurrency,
    onAttempt: ({ lane, errcode, ms }) => metrics.sent(lane, errcode, ms / 1000),
    onLimit: ({ limit, ms }) => metrics.waited(limit, ms / 1000),
    onWait: (reason) => metrics.waited(reason, 0),
  });
  metrics.watchBacklog(delivery.depth, report);
  const campaigns = createCampaigns({ ...common, messageQueue: delivery, templates, accounts, webhooks });

  const messageQueue: Delivery = {
    ...delivery,
    async accept(message) {
      const accepted = await delivery.accept(message);
      if (accepted.isNew) metrics.accepted(message.lane);
      return accepted;
    },
  };
  const rates = createRates(db, now);
  const app = createApi({
    routes: [
      ...messageRoutes({
        ...common,
        messageQueue,
        templates,
        media,
        fetchImage: createFetchImage(),
        robots: new Set(Object.keys(robots)),
        accounts,
        pausedNote: accounts.pausedNote,
      }),
      ...mediaRoutes({ media }),
      ...templateRoutes({ templates }),
      ...campaigns.routes,
      ...accountRoutes(async () =>
        accounts.list(await delivery.waitingByAccount(), await delivery.blockedAccounts()),
      ),
      ...directoryRoutes(accounts.weComOf),
    ],
    keys,
    sources: createSources(config.allowedSources),
    trustedProxies: config.trustedProxies,
    rates,
    now,
    log,
    metrics,
  });
  delivery.start();
  webhooks.start();
  campaigns.start();
  const loops = [
    { restMs: SETTLE_MS, work: rates.settle },
    { restMs: MINUTE_MS, work: keys.prune },
    { restMs: HOUR_MS, work: media.prune },
    { restMs: HOUR_MS, work: webhooks.prune },
    ...purgeRounds({ ...common, keepDays: config.keepDays }),
  ].map((round) => createLoop({ ...round, onError: report }));
  for (const loop of loops) loop.start();

  return {
    /** Not listening yet, while deliveries are under way. */
    app,
    /** What must answer before requests make sense, by name: not WeCom, without which messages are taken and wait. */
    checks: {
      // Deletes nothing, but only a server that takes writes runs it.
      mysql: async () => void (await db.deleteFrom('messages').where('id', '=', '').execute()),
    },
    /** Reads `ACCOUNTS_FILE` again; everything else that changes stands in MySQL. */
    reload: async (): Promise<void> => accounts.reload(),
    /** Finishes the requests and sends in flight; what is queued stands in MySQL. */
    async close(): Promise<void> {
      // What purges is told at once, so that it is over when the rest is.
      const stopped = loops.map((loop) => loop.stop());
      await app.close();
      await campaigns.close();
      await delivery.close();
      await webhooks.close();
      await Promise.all(stopped);
      await http.close();
      await db.destroy();
    },
  };
}

/** A change of a large table takes longer than any statement of the day's work may. */
async function prepareDatabase(url: string): Promise<void> {
  const db = openDatabase(url, { statementMs: HOUR_MS });
  try {
    await migrate(db);
  } finally {
    await db.destroy();
  }
}
