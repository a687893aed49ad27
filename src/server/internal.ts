import { STATUS_CODES } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Registry } from 'prom-client';
import { createHttpServer } from './http-server.ts';
import type { Log } from './log.ts';
import { metersOf } from './metrics.ts';

/** What the internal port shows. */
interface InternalOptions {
  /** Whose port it is. */
  readonly role: string;
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
 * /metrics, in which `keypad_ready` tells of each check how it went right then.
 */
export async function startInternal(options: InternalOptions) {
  const { role, host, port, registry, checks, log, limitMs = 1000, requestMs = 10_000 } = options;
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
  const help = '1 while what the role needs answers it, by the name of the check';
  const ready = metersOf(registry).gauge('keypad_ready', help, ['role', 'check']);

  /** Runs all checks; answers a line for each that failed. */
  const runChecks = async (): Promise<readonly string[]> => {
    const lines = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => {
        const passed = check().then(
          () => undefined,
          (err: unknown) => {
            log.warn({ check: name, err }, 'not ready');
            return `${name} failed\n`;
          },
        );
        const late = `${name} gave no answer within ${limitMs} ms\n`;
        const line = await Promise.race([passed, sleep(limitMs, late, { ref: false })]);
        ready.set({ role, check: name }, line === undefined ? 1 : 0);
        return line === undefined ? [] : [line];
      }),
    );
    return lines.flat();
  };

  app.get('/healthz', async () => 'ok\n');

  app.get('/readyz', async (_request, reply) => {
    const failing = await runChecks();
    return failing.length === 0 ? 'ready\n' : reply.code(503).send(`not ready\n${failing.join('')}`);
  });

  app.get('/metrics', async (_request, reply) => {
    await runChecks();
    return reply.type(registry.contentType).send(await registry.metrics());
  });

  return { app, url: await app.listen({ host, port }), close: () => app.close() };
}
