import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Registry } from 'prom-client';
import { addCallback, type CallbackResult, refuseCallback } from '../channels/wecom-callback/callback.ts';
import { createChat, createSessionStore } from '../chat/index.ts';
import type { BotConfig } from '../config.ts';
import { createPushClient } from '../push/client.ts';
import { createHttpClient } from '../server/http-client.ts';
import { createHttpServer } from '../server/http-server.ts';
import type { Log } from '../server/log.ts';
import { pathOnly } from '../server/redaction.ts';
import { checkWrites } from '../server/redis.ts';
import { openAccounts } from './accounts.ts';
import { createCatalogue } from './catalogue.ts';
import { startConfirmations } from './confirmations.ts';
import { createIdentity, principalOf } from './identity.ts';
import { openOwnRedis } from './installation.ts';
import { createContexts } from './menu-context.ts';
import { createBotMetrics } from './metrics.ts';
import { createNotifier } from './notifier.ts';
import { openAnswers } from './open-answers.ts';
import { openConfirmations } from './open-confirmations.ts';
import { createOpsClient } from './ops-client.ts';
import { startOwedAnswers } from './owed-answers.ts';
import { startReports } from './reports.ts';
import { timedStore } from './timed-store.ts';

/** A running interface platform. */
export type Bot = Awaited<ReturnType<typeof createBot>>;

interface BotParts {
  readonly config: BotConfig;
  readonly log: Log;
  readonly registry: Registry;
}

/** How long nobody else looks after a message that a replica works on; longer than one stands still on a busy machine. */
const LEASE_MS = 6000;

/** Puts the interface platform together. Throws `ConfigError` when not one account can be served. */
export async function createBot({ config, log, registry }: BotParts) {
  const metrics = createBotMetrics(registry);
  const now = Date.now;
  const pause = async (ms: number): Promise<void> => void (await sleep(ms, undefined, { ref: false }));
  const { redis, scope, close: closeRedis } = await openOwnRedis({ config, log });
  const stopping = new AbortController();
  const http = createHttpClient();
  const pushClient = createPushClient({
    send: http.send,
    url: config.pushUrl,
    app: config.pushAppId,
    key: config.pushAppKey.reveal(),
  });
  const client = createOpsClient({
    send: http.send,
    url: config.opsUrl,
    key: config.signingKey.reveal(),
    now,
    newId: randomUUID,
    onAnswer: metrics.opsCall,
  });
  const reports = startReports({
    send: client.report,
    onError: (err) =>
      log.warn({ err }, 'a report is not with the ops platform; what it can read is sent again'),
  });
  const catalogue = createCatalogue({
    client,
    onChange: () => accounts.rebuildMenus(),
    now,
    onError: (err) => log.warn({ err }, 'the ops platform does not say what it can do'),
    onOlder: () => log.warn('the ops platform is older than the bot: entries without code are not shown'),
  });
  const { operations, outputOf, rightsBasis } = catalogue;
  const accounts = await openAccounts({
    config,
    redis,
    log,
    metrics,
    onProblems: reports.problems,
    operations,
    notifierOf: (account) =>
      createNotifier({
        account,
        client: pushClient,
        now,
        sleep: pause,
        onCall: metrics.deliveryCall,
        onAway: (err) =>
          log.warn({ err, account }, 'message delivery did not take a late message, which waits'),
        stopping: stopping.signal,
      }),
    now,
  });
  await catalogue.start();
  const identity = createIdentity({
    onNoRights: (user) => reports.refused({ user, kind: 'rights', at: '' }),
    client,
    rightsBasis,
    now,
    onError: (err, user) => log.warn({ user, err }, 'departments unknown'),
  });
  const confirmations = startConfirmations({
    client,
    open: openConfirmations(redis, scope),
    tell: accounts.tell,
    now,
    onError: (err) => log.warn({ err }, 'what became of a confirmation is not known yet'),
  });

  const store = timedStore(createSessionStore(redis), metrics.redis);
  const owed = startOwedAnswers({
    open: openAnswers(redis, scope, LEASE_MS),
    leaseMs: LEASE_MS,
    store,
    channelOf: accounts.channelOf,
    now,
    onError: (err) => log.warn({ err }, 'an answer is still owed'),
  });
  const chat = createChat({
    store,
    owed,
    menu: (incoming, generation) => accounts.menusOf(incoming).at(generation),
    openContext: createContexts({ client, identity, outputOf, confirmations, store, now }),
    deliver: (incoming, text) => incoming.channel.tellLate(incoming, text),
    onError: (err, { trace }) => log.error({ id: trace, err }, 'a message broke'),
    onSession: metrics.session,
    onRefused: (incoming, refused) => reports.refused({ user: principalOf(incoming), ...refused }),
    now,
    sleep: pause,
    after(ms, call) {
      const timer = setTimeout(call, ms);
      return () => clearTimeout(timer);
    },
  });

  const onResult = (result: CallbackResult, request: FastifyRequest, reply: FastifyReply): void => {
    const { id, source, refusal } = request;
    metrics.callback(result, reply.elapsedTime / 1000);
    // What is refused has a line of the server.
    if (refusal !== undefined) return;
    const ms = Math.round(reply.elapsedTime);
    log.info({ id, result, path: pathOnly(request.url), source, ms }, 'callback');
  };
  const app = createHttpServer({
    log,
    trustedProxies: config.trustedProxies,
    // The id goes into each line by hand; a child logger for every request would cost more than the line.
    childLoggerFactory: (logger) => logger,
    genReqId: () => randomUUID(),
    // A body of 64 KiB that takes longer than this is not WeCom's.
    requestTimeout: 10_000,
    // The address in the form of an app may end in a slash.
    routerOptions: { ignoreTrailingSlash: true },
    callers: { allows: accounts.isAllowedAnywhere, setting: 'CALLBACK_ALLOWED_SOURCES' },
    serves: '/wecom/callback, and /wecom/callback/<account> for those of ACCOUNTS_FILE',
    refuse(as, request, reply) {
      onResult(as, request, reply);
      return refuseCallback(as, reply);
    },
  });
  addCallback(app, {
    account: accounts.find,
    receive: chat.receive,
    onSent(reply, incoming) {
      chat.sent(reply, incoming);
      confirmations.received(incoming, reply.receipts);
    },
    onResult,
    now,
    newNonce: () => randomUUID().slice(0, 8),
  });

  return {
    /** Not listening yet. */
    app,
    /** What must answer before callbacks make sense, by name. */
    // Message delivery is not among them: without it the bot still answers in its replies, and what it has to tell
    // later waits with the platform. A bot out of service would help nobody; the log and the metrics tell of it.
    checks: { redis: () => checkWrites(redis) },
    /** Reads the file of accounts and the menus again. */
    reload: accounts.reload,
    /** Takes no more callbacks, finishes those in flight and what is delivered late, and lets go of Redis. */
    async close(): Promise<void> {
      await app.close();
      stopping.abort();
      await chat.idle();
      await owed.stop();
      await confirmations.stop();
      await catalogue.stop();
      await reports.stop();
      await accounts.close();
      await http.close();
      await closeRedis();
    },
  };
}
