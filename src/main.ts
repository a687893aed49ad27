import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { type Config, dropSettings, readConfig, readRole } from './config.ts';
import { ConfigError } from './errors.ts';
import { startInternal } from './server/internal.ts';
import { createLog, type Log } from './server/log.ts';
import { createRegistry } from './server/metrics.ts';
import { type Closer, closeOnSignal } from './server/shutdown.ts';

/** Opens a role that does not listen yet: `checks` are run by /readyz, `reload` reads again on SIGHUP what may change meanwhile. */
type Open<C> = (parts: { readonly config: C; readonly log: Log; readonly registry: Registry }) => Promise<{
  readonly app: FastifyInstance;
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
  reload(): Promise<void>;
  close(): Promise<void>;
}>;

/** Starts one role: `node src/main.ts bot|ops|push|all`. Bad settings stop it, with every problem at once. */
async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const config = readConfig(readRole(argv[2]), env);
  // Operations and menus are code of others: what Keypad was set with, keys among it, does not lie about for them.
  dropSettings(env);
  const log = createLog({ level: config.logLevel });
  process.on('unhandledRejection', (err) => log.error({ err }, 'unhandled rejection'));
  let parts: Awaited<ReturnType<typeof openParts>> = [];
  // Before anything is opened: a signal that nobody hears ends the process.
  process.on('SIGHUP', () => {
    for (const part of parts)
      part.reload().then(
        () => log.info({ part: part.name }, 'reloaded'),
        (err: unknown) => log.error({ part: part.name, err }, 'not reloaded'),
      );
  });
  parts = await openParts(config, log);
  const closers: Closer[] = [];
  for (const { name, app, host, port, internalPort, registry, checks, close } of parts) {
    // First: who is ready can be called.
    const url = await app.listen({ host, port });
    const internal = await startInternal({
      role: name,
      host: config.internalHost,
      port: internalPort,
      registry,
      checks,
      log,
    });
    closers.push({ name, close }, { name: `${name} internal`, close: internal.close });
    log.info({ part: name, url, internal: internal.url }, 'listening');
  }
  closeOnSignal(closers, log);
}

/** Each role loads its own code only: a bot never loads what could reach a cluster. Roles that others call are started first. */
async function openParts({ ops, push, bot }: Config, log: Log) {
  const part = async <C extends object>(
    name: string,
    config: C | undefined,
    load: () => Promise<Open<C>>,
  ) => {
    if (config === undefined) return [];
    const open = await load();
    const registry = createRegistry();
    const opened = await open({ config, log: log.child({ part: name }), registry });
    return [{ name, ...config, registry, ...opened }];
  };
  return [
    ...(await part('ops', ops, async () => (await import('./ops/app.ts')).createOps)),
    ...(await part('push', push, async () => (await import('./push/app.ts')).createPush)),
    ...(await part('bot', bot, async () => (await import('./bot/app.ts')).createBot)),
  ];
}

main(process.argv, process.env).catch((error: unknown) => {
  const isExpected = error instanceof ConfigError || (error as { code?: string }).code === 'EADDRINUSE';
  process.stderr.write(`${isExpected ? (error as Error).message : (error as Error).stack}\n`);
  process.exit(1);
});
