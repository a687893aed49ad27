import { STATUS_CODES } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import { createHttpServer } from './http-server.ts';
import type { Log } from './log.ts';

/** What the internal port shows. */
interface InternalOptions {
  /** Loopback unless the settings say otherwise: nothing here checks who is calling. */
  readonly host: string;
  readonly port: number;
  readonly registry: Registry;
  /** What must answer before requests make sense, by the name that a failing one is reported under. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
  readonly log: Log;
  /** How long one check may take; 1 s. */
  readonly limitMs?: number;
  /** How long a request may take to come in; 10 s. */
  readonly requestMs?: number;
}

const PATHS = 'GET /healthz, /readyz and /metrics';

/**
 * Listens with /healthz (the process is up), /readyz (503 names the failing checks, never why: that is in the log) and
 * /metrics.
 */
export async function startInternal(options: InternalOptions) {
  const { host, port, registry, checks, log, limitMs = 1000, requestMs = 10_000 } = options;
  const app = createHttpServer({
    log,
    trustedProxies: [],
    requestTimeout: requestMs,
    forceCloseConnections: true,
    serves: PATHS,
    refuse: (as, _request, reply) => reply.code(as === 'missing' ? 404 : 400).send(`there is ${PATHS}\n`),
  });
  app.setErrorHandler((err: Error & { readonly statusCode?: number }, request, reply) => {
    const { statusCode = 500 } = err;
    if (statusCode >= 500) request.log.error({ err }, 'request failed');
    return reply.code(statusCode).send(`${STATUS_CODES[statusCode]}\n`);
  });

  app.get('/healthz', async () => 'ok\n');

  app.get('/readyz', async (_request, reply) => {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => {
        const passed = check().then(
          () => [],
          (err: unknown) => {
            log.warn({ check: name, err }, 'not ready');
            return [`${name} failed\n`];
          },
        );
        const late = [`${name} gave no answer within ${limitMs} ms\n`];
        return Promise.race([passed, sleep(limitMs, late, { ref: false })]);
      }),
    );
    const failing = results.flat();
    return failing.length === 0 ? 'ready\n' : reply.code(503).send(`not ready\n${failing.join('')}`);
  });

  app.get('/metrics', async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );

  return { url: await app.listen({ host, port }), close: () => app.close() };
}
