import type { FastifyInstance } from 'fastify';
import { type Config, readConfig, readRole } from './config.ts';
import { ConfigError } from './errors.ts';
import { startInternal } from './server/internal.ts';
import { createLog, type Log } from './server/log.ts';
import { createRegistry } from './server/metrics.ts';
import { type Closer, closeOnSignal } from './server/shutdown.ts';

/** One role as it runs in this process: `app` serves on `port`, `checks` are run by /readyz. */
interface Part {
  readonly name: string;
  readonly app: FastifyInstance;
  readonly host: string;
  readonly port: number;
  readonly internalPort: number;
  readonly registry: ReturnType<typeof createRegistry>;
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
  /** Reads the files again that may change while the process runs, on SIGHUP. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

/** Starts one role: `node src/main.ts bot|ops|push|all`. Bad settings stop it, with every problem at once. */
async function main(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const config = readConfig(readRole(argv[2]), env);
  const log = createLog({ level: config.logLevel });
  process.on('unhandledRejection', (err) => log.error({ err }, 'unhandled rejection'));
  const parts = await openParts(config, log);
  process.on('SIGHUP', () => {
    for (const part of parts)
      part.reload().then(
        () => log.info({ part: part.name }, 'reloaded'),
        (err: unknown) => log.error({ part: part.name, err }, 'not reloaded'),
      );
  });
  const closers: Closer[] = [];
  for (const { name, app, host, port, internalPort, registry, checks, close } of parts) {
    const internal = await startInternal({
      host: config.internalHost,
      port: internalPort,
      registry,
      checks,
      log,
    });
    closers.push({ name, close }, { name: `${name} internal`, close: internal.close });
    const url = await app.listen({ host, port });
    log.info({ part: name, url, internal: internal.url }, 'listening');
  }
  closeOnSignal(closers, log);
}

/** Each role loads its own code only: a bot never loads what could reach a cluster. Roles that others call are started first. */
async function openParts(config: Config, log: Log): Promise<readonly Part[]> {
  const parts: Part[] = [];
  if (config.ops !== undefined) {
    const { createOps } = await import('./ops/app.ts');
    const registry = createRegistry();
    const ops = await createOps({ config: config.ops, log: log.child({ part: 'ops' }), registry });
    parts.push({ name: 'ops', ...config.ops, registry, ...ops });
  }
  if (config.push !== undefined) {
    const { createPush } = await import('./push/app.ts');
    const registry = createRegistry();
    const push = await createPush({ config: config.push, log: log.child({ part: 'push' }), registry });
    parts.push({ name: 'push', ...config.push, registry, ...push });
  }
  if (config.bot !== undefined) {
    const { createBot } = await import('./bot/app.ts');
    const registry = createRegistry();
    const bot = await createBot({ config: config.bot, log: log.child({ part: 'bot' }), registry });
    parts.push({ name: 'bot', ...config.bot, registry, ...bot });
  }
  return parts;
}

main(process.argv, process.env).catch((error: unknown) => {
  const isExpected = error instanceof ConfigError || (error as { code?: string }).code === 'EADDRINUSE';
  process.stderr.write(`${isExpected ? (error as Error).message : (error as Error).stack}\n`);
  process.exit(1);
});
