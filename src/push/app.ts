import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import type { PushConfig } from '../config.ts';
import { every } from '../server/every.ts';
import type { Log } from '../server/log.ts';
import { createRedis, createWaitingRedis } from '../server/redis.ts';
import { createSources } from '../server/sources.ts';
import { createWeComApi } from '../wecom/api.ts';
import { type AppOptions, createAppTokens } from '../wecom/app-tokens.ts';
import { createMessenger } from '../wecom/messenger.ts';
import { createTokenStore } from '../wecom/token-store.ts';
import { directoryRoutes } from './api/directory-routes.ts';
import { messageRoutes } from './api/messages/message-routes.ts';
import { createRates } from './api/rates.ts';
import { createApi } from './api/server.ts';
import { createCampaigns } from './campaigns/campaigns.ts';
import { addConsole } from './console/console.ts';
import { type Database, openDatabase } from './database.ts';
import { createBreaker } from './delivery/breaker.ts';
import { createDelivery } from './delivery/delivery.ts';
import { createLimits } from './delivery/limits.ts';
import type { Mailroom } from './delivery/mailroom.ts';
import { createKeys } from './keys/keys.ts';
import { createFetchImage } from './media/fetch-image.ts';
import { createMedia } from './media/media.ts';
import { mediaRoutes } from './media/routes.ts';
import { createPushMetrics } from './metrics.ts';
import { migrate } from './migrations.ts';
import { newId } from './new-id.ts';
import { createResults } from './results/results.ts';
import { fill } from './templates/fill.ts';
import { templateRoutes } from './templates/routes.ts';
import { createTemplates } from './templates/templates.ts';

/** Running message delivery; `app` is not listening yet, while deliveries are under way. */
export interface Push {
  readonly app: FastifyInstance;
  /** What must answer before requests make sense, by name. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
  /** Adds the queue view to the internal port. */
  extendInternal(app: FastifyInstance): Promise<void>;
  /** There is nothing to read again: what changes stands in MySQL. */
  reload(): Promise<void>;
  /** Finishes the requests and sends in flight; what is queued stands in MySQL. */
  close(): Promise<void>;
}

export interface PushParts {
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
export async function createPush({ config, log, registry }: PushParts): Promise<Push> {
  const now = Date.now;
  const { agentId } = config;
  const metrics = createPushMetrics(registry);
  const report = (err: unknown): void => log.error({ err }, 'in the background');
  const id = (): string => newId(now());
  const secret = config.secret.reveal();
  const robots = config.robots.reveal();
  const redisUrl = config.redisUrl.reveal();
  const db = openDatabase(config.mysqlUrl.reveal());
  await migrateOrClose(db);
  const redis = createRedis(redisUrl);
  const subscriber = createWaitingRedis(redisUrl);
  for (const client of [redis, subscriber]) client.on('error', (err) => log.warn({ err }, 'redis'));

  const line: Omit<AppOptions, 'tokens'> = {
    baseUrl: config.apiUrl,
    corpId: config.corpId,
    agentId,
    secret,
    onCall(call) {
      metrics.weComCall(call);
      if (call.warning !== undefined) log.warn(call, 'WeCom understood a call only in part');
    },
  };
  const tokens = createAppTokens({
    ...line,
    tokens: createTokenStore(redis, config.corpId, agentId, secret),
  });
  const messenger = createMessenger({ ...line, tokens });
  const weCom = createWeComApi({ ...line, tokens });

  const keys = createKeys({ db, masterKey: config.masterKey.reveal(), now, log });
  const templates = createTemplates({ db, redis, subscriber, now });
  const media = createMedia({ db, messenger, robots, now, sleep, newId: id });
  const results = createResults({
    db,
    keys,
    fetch,
    now,
    sleep,
    random: Math.random,
    newId: id,
    onCall: metrics.resultCallback,
    onError: report,
  });
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
    agentId,
    accountLimit: config.accountLimit,
    now,
    newId,
    onLost() {
      log.warn('Redis knew no limits: it is new, or was emptied; limits and jobs are restored from MySQL');
      void delivery.sweepAll().catch(report);
    },
    onWait: ({ limit, ms }) => metrics.waited(limit, ms / 1000),
  });
  const delivery = createDelivery({
    db,
    redis,
    openWaiting: () => createWaitingRedis(redisUrl),
    messenger,
    robots,
    limits,
    breaker,
    media,
    results,
    // While that cannot be asked, what was accepted is sent.
    isDisabled: async (app) => (await keys.find(app).catch(() => undefined))?.enabled === false,
    fill,
    concurrency: config.concurrency,
    sleep,
    now,
    newId: id,
    random: Math.random,
    onAttempt: ({ lane, errcode, ms }) => metrics.sent(lane, errcode, ms / 1000),
    onWait: (reason) => metrics.waited(reason, 0),
    onError: report,
  });
  metrics.watchBacklog(delivery.depth, report);
  const campaigns = createCampaigns({
    db,
    mailroom: delivery,
    templates,
    results,
    now,
    newId: id,
    sleep: (ms, signal) => sleep(ms, undefined, { signal }),
    onError: report,
  });

  const mailroom: Mailroom = {
    ...delivery,
    async accept(message) {
      const accepted = await delivery.accept(message);
      if (accepted.isNew) metrics.accepted(message.lane);
      return accepted;
    },
  };
  const app = createApi({
    routes: [
      ...messageRoutes({
        db,
        mailroom,
        templates,
        media,
        fetchImage: createFetchImage(),
        robots: new Set(Object.keys(robots)),
        now,
      }),
      ...mediaRoutes({ media }),
      ...templateRoutes({ templates }),
      ...campaigns.routes,
      ...directoryRoutes(weCom),
    ],
    keys,
    sources: createSources(config.allowedSources),
    proxies: createSources(config.trustedProxies),
    rates: createRates(redis, now),
    log,
    metrics,
  });
  delivery.start();
  results.start();
  campaigns.start();
  const stops = [
    every(MINUTE_MS, () => keys.prune().catch(report)),
    every(HOUR_MS, () => media.prune().catch(report)),
    every(HOUR_MS, () => results.prune().catch(report)),
  ];

  return {
    app,
    checks: {
      mysql: async () => void (await db.selectFrom('messages').select('id').limit(1).execute()),
      // Not Redis: while it is away messages are taken in all the same, and sent when it is back.
      token: () => weCom.checkToken(),
    },
    extendInternal: (internal) =>
      addConsole(internal, {
        db,
        key: config.consoleKey.reveal(),
        queues: delivery.queues,
        log,
        now,
        newSecret: () => randomBytes(32).toString('base64url'),
      }),
    reload: async () => {},
    async close() {
      await app.close();
      await campaigns.close();
      await delivery.close();
      await results.close();
      await Promise.all(stops.map((stop) => stop()));
      redis.disconnect();
      subscriber.disconnect();
      await db.destroy();
    },
  };
}

async function migrateOrClose(db: Database): Promise<void> {
  try {
    await migrate(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
}
