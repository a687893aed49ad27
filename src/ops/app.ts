import { randomUUID } from 'node:crypto';
import type { Registry } from 'prom-client';
import type { OpsConfig } from '../config.ts';
import { CATALOGUE } from '../contract/catalogue.ts';
import { REPORTS } from '../contract/report.ts';
import { createPushClient } from '../push/client.ts';
import { createHttpServer } from '../server/http-server.ts';
import type { Log } from '../server/log.ts';
import { createLoop } from '../server/loop.ts';
import { createSources } from '../server/sources.ts';
import { createAudit } from './audit/audit.ts';
import { createRefusals } from './audit/refusals.ts';
import { type Clock, systemClock } from './clock.ts';
import { openDatabase } from './database.ts';
import { createEngine, openTables } from './engine/engine.ts';
import { createCatalogueHandler } from './http/catalogue.ts';
import { createCheck, sweepTokens } from './http/check.ts';
import { createReportHandler } from './http/report.ts';
import { createRequestHandler } from './http/request.ts';
import { addRoutes, refuse } from './http/routes.ts';
import { createOpsMetrics } from './metrics.ts';
import { migrate } from './migrations.ts';
import { openFiles } from './open-files.ts';
import { createAdminNotice } from './outbox/admins.ts';
import { createOutbox } from './outbox/outbox.ts';
import { createSender } from './outbox/sender.ts';
import { createRecords } from './records.ts';
import { createTampering } from './tampering.ts';

/** A running ops platform. */
export type Ops = Awaited<ReturnType<typeof createOps>>;

export interface OpsParts {
  readonly config: Omit<OpsConfig, 'host' | 'port' | 'internalPort'>;
  readonly log: Log;
  readonly registry: Registry;
  readonly clock?: Clock;
}

const SWEEP_EVERY_MS = 1000;

/**
 * Puts the ops platform together, and brings its database to the form that this version needs.
 * Throws a ConfigError that says what to mend.
 */
export async function createOps({ config, log, registry, clock = systemClock }: OpsParts) {
  const report = (err: unknown): void => log.error({ err }, 'in the background');
  const metrics = createOpsMetrics(registry);
  const callers = { ...createSources(config.allowedSources), setting: 'OPS_ALLOWED_SOURCES' };
  const db = openDatabase(config.mysqlUrl.reveal(), metrics.transactionRetried);
  const owner = randomUUID();
  const tampering = createTampering({ log, metrics, clock });
  const auditKey = config.auditKey.reveal();
  const records = createRecords(db, auditKey, (found) => void tampering.forged(audit, found).catch(report));
  const outbox = createOutbox(records);
  const sender = createSender({
    outbox,
    client: createPushClient({ url: config.pushUrl, app: config.pushAppId, key: config.pushAppKey.reveal() }),
    clock,
    onResult(result, key, err) {
      metrics.delivery(result);
      if (result === 'undeliverable') log.error({ key, err }, 'message delivery refused a message to a user');
      if (result === 'away')
        log.warn({ key, err }, 'message delivery did not take a message, which waits in the outbox');
    },
    onError: report,
  });
  const notifyAdmins = createAdminNotice({ records, clock, onMessage: sender.notice });
  const files = await openFiles({ config, log, metrics, clock, notifyAdmins, onError: report });
  const letGo = async (): Promise<void> => {
    await Promise.all([files.close(), db.destroy()]);
  };
  const sealed = await migrate(records, config.adoptsRows).catch(async (error: unknown) => {
    await letGo();
    throw error;
  });
  const audit = createAudit(db, auditKey, tampering.witness);
  if (sealed > 0) await tampering.sealed(audit, sealed);
  const refusals = createRefusals(audit);
  const engine = createEngine(openTables({ records, owner, onOutcome: sender.notice, outbox, audit }), {
    targets: files.targets,
    clock,
    policy: files.policy,
    operations: files.operations,
    async tidy(now) {
      await refusals.flush(now);
      await sweepTokens(db, now);
      await audit.look();
    },
    report,
  });

  const refusedSource = (source: string): void => {
    const refusal = { source, user: '', reason: 'source' };
    const row = { ...refusal, outcome: 'denied', operation: '' } as const;
    refusals.count(refusal, () => audit.append({ ...row, at: clock.now() })).catch(report);
    metrics.refusedSource();
  };
  // The id of the message that a person typed comes in the bot's requests, and so into every line here.
  const app = createHttpServer({
    log,
    trustedProxies: config.trustedProxies,
    requestTimeout: 15_000,
    callers,
    serves: 'POST /v1/operations/<name>, the same with /preview, /v1/catalogue and /v1/reports',
    refuse(as, request, reply) {
      if (as === 'source') refusedSource(request.source);
      return refuse(as, reply);
    },
  });
  const check = createCheck({ keys: config.verifyingKeys, db, audit, refusals, clock });
  addRoutes(app, {
    handle: createRequestHandler(check, engine),
    own: {
      [REPORTS]: createReportHandler(check, audit, (problems) =>
        notifyAdmins(files.policy().admins, problems),
      ),
      [CATALOGUE]: createCatalogueHandler(check, files),
    },
    isRead: (name) => files.operations.find(name)?.operation.kind === 'read',
    answered: metrics.request,
  });
  const sweeping = createLoop({ restMs: SWEEP_EVERY_MS, work: engine.sweep, onError: report });
  sweeping.start();
  files.start();
  sender.start();

  return {
    /** Not listening yet. */
    app,
    /** What must answer before requests make sense, by name. */
    checks: {
      // Changes nothing, but only a server that takes writes runs it.
      mysql: async () =>
        void (await db.updateTable('audit_head').set({ seq: 0 }).where('id', '=', 0).execute()),
    },
    /** Reads operations, policy and kubeconfig again; what is bad is logged, and the old one goes on. */
    reload: files.reload,
    /** One round of what otherwise happens by itself: what another replica left behind is taken up, and what is due is told. */
    async sweep(): Promise<void> {
      await engine.sweep();
      while (await sender.round());
    },
    /** Ends the programs that run, finishes the requests in flight, and leaves what is still being watched to the other replicas. */
    async close(): Promise<void> {
      // What waits for a program to end, requests and the watcher, then has its end.
      const ended = files.commands.close();
      await app.close();
      await ended;
      await sweeping.stop();
      await engine.close().catch(report);
      await sender.stop();
      await refusals.flush(clock.now()).catch(report);
      await audit.close();
      await letGo();
    },
  };
}
