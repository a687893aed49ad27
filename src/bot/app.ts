import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import type { Registry } from 'prom-client';
import { addCallback } from '../channels/wecom-callback/callback.ts';
import { openCallbackSources } from '../channels/wecom-callback/sources.ts';
import { createChat, createMenus, createSessionStore } from '../chat/index.ts';
import type { BotConfig } from '../config.ts';
import { isChange, isOperation } from '../contract/index.ts';
import { readSigningKey } from '../contract/keys.ts';
import { ConfigError } from '../errors.ts';
import { createPushClient } from '../push/client.ts';
import { drainOnClose } from '../server/drain.ts';
import type { Log } from '../server/log.ts';
import { createBotMetrics } from '../server/metrics.ts';
import { createRedis } from '../server/redis.ts';
import { watchFolder } from '../server/watched-folder.ts';
import { createCipher } from '../wecom/crypto/cipher.ts';
import { createIdentity } from './identity.ts';
import { createContexts } from './menu-context.ts';
import { createNotifier } from './notifier.ts';
import { openConfirmations } from './open-confirmations.ts';
import { createOpsClient } from './ops-client.ts';
import { startOutcomes } from './outcomes.ts';
import { timedStore } from './timed-store.ts';

/** A running interface platform; `app` is not listening yet. */
export interface Bot {
  readonly app: FastifyInstance;
  /** What must answer before callbacks make sense, by name. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
  /** Reads the menus again. */
  reload(): Promise<void>;
  /** Takes no more callbacks, finishes those in flight and what is delivered late, and lets go of Redis. */
  close(): Promise<void>;
}

export interface BotParts {
  readonly config: BotConfig;
  readonly log: Log;
  readonly registry: Registry;
}

/** How often it is looked whether the callback ranges are due to be asked for. */
const LOOK_MS = 10_000;

/** Puts the interface platform together. Throws `ConfigError` when the menus have a problem. */
export async function createBot({ config, log, registry }: BotParts): Promise<Bot> {
  const { account } = config;
  if (account === undefined) throw new ConfigError(['The role bot needs the WECOM_* variables']);
  const metrics = createBotMetrics(registry);
  const now = Date.now;
  const pause = async (ms: number): Promise<void> => void (await sleep(ms, undefined, { ref: false }));
  const redis = createRedis(config.redisUrl.reveal());
  redis.on('error', (err) => log.warn({ err }, 'redis'));
  const notifier = createNotifier({
    client: createPushClient({
      url: config.pushUrl,
      app: config.pushAppId,
      key: config.pushAppKey.reveal(),
      now,
      newNonce: randomUUID,
    }),
    now,
    sleep: pause,
    onCall: metrics.deliveryCall,
    onAway: (err) => log.warn({ err }, 'message delivery is away, what is to be told waits'),
  });
  const client = createOpsClient({
    url: config.opsUrl,
    key: readSigningKey(config.signingKey.reveal()),
    now,
    newId: randomUUID,
    onAnswer: metrics.opsCall,
  });
  const menus = await createMenus({
    directory: account.menusDir,
    operations: { isOperation, isChange },
    onLoaded({ generation }, isNew) {
      metrics.reload('menus', 'accepted');
      if (isNew) log.info({ generation }, 'menus loaded');
    },
    onProblems(problems) {
      metrics.reload('menus', 'refused');
      log.error({ problems }, 'menus not reloaded, the old ones go on serving');
    },
  });
  const stopWatching = watchFolder({
    folder: config.menusDir,
    isRecursive: true,
    onChange: menus.reload,
    onError: (err) => log.error({ err }, 'changes of the menus are not noticed any more; send SIGHUP'),
  });
  const sources = await openCallbackSources({
    allowed: account.callbackSources,
    redis,
    corpId: account.corpId,
    askWeCom: notifier.callbackRanges,
    onError: (err) => log.error({ err }, 'the callback ranges of WeCom are not fresh'),
    now,
  });
  const looking = setInterval(() => void sources.keepFresh(), LOOK_MS).unref();

  const identity = createIdentity({
    notifier,
    client,
    now,
    onError: (err, user) => log.warn({ user, err }, 'departments unknown'),
  });
  const outcomes = startOutcomes({
    client,
    open: openConfirmations(redis, account.agentId),
    tell: notifier.tell,
    sleep: pause,
    now,
    newId: randomUUID,
    onError: (err) => log.warn({ err }, 'outcomes'),
  });

  const chat = createChat({
    store: timedStore(createSessionStore(redis), metrics.redis),
    menu: menus.at,
    openContext: createContexts({ client, identity, outcomes, now }),
    deliver: notifier.tellLate,
    onError: (err, { trace }) => log.error({ id: trace, err }, 'a message broke'),
    onSession: metrics.session,
    now,
    sleep: pause,
    after(ms, call) {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    },
  });

  const app = fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: config.trustedProxies.length > 0 ? [...config.trustedProxies] : false,
    // The id goes into each line by hand; a child logger for every request would cost more than the line.
    childLoggerFactory: (logger) => logger,
    genReqId: () => randomUUID(),
    forceCloseConnections: 'idle',
    // A body of 64 KiB that takes longer than this is not WeCom's.
    requestTimeout: 10_000,
  });
  drainOnClose(app);
  addCallback(app, {
    cipher: createCipher({
      token: account.token.reveal(),
      encodingAesKey: account.encodingAesKey.reveal(),
      receiveId: account.corpId,
    }),
    corpId: account.corpId,
    isAllowedSource: sources.allows,
    agentId: account.agentId,
    receive: chat.receive,
    onSent: ({ receipts }) => void outcomes.received(receipts),
    onResult(result, request, reply) {
      metrics.callback(result, reply.elapsedTime / 1000);
      log.info(
        { id: request.id, result, address: request.ip, ms: Math.round(reply.elapsedTime) },
        'callback',
      );
    },
    now,
    newNonce: () => randomUUID().slice(0, 8),
  });

  return {
    app,
    // Message delivery is not among them: without it the bot still answers in its replies, and what it has to tell
    // later waits with the platform. A bot out of service would help nobody; the log and the metrics tell of it.
    checks: { redis: async () => void (await redis.ping()) },
    reload: menus.reload,
    async close() {
      await app.close();
      notifier.stop();
      await chat.idle();
      await outcomes.stop();
      clearInterval(looking);
      stopWatching();
      redis.disconnect();
    },
  };
}
