import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startCluster } from './cluster/cluster.ts';
import { demoSeed } from './cluster/seed.ts';
import { loadCredentials } from './credentials.ts';
import { openDatabases } from './databases.ts';
import { asDemoContext } from './kubeconfig.ts';
import { startMariadbServer } from './mariadb-server.ts';
import { checkPorts, type DemoPorts } from './ports.ts';
import type { PrivateProcess } from './private-process.ts';
import { startRedisServer } from './redis-server.ts';
import { startRole } from './role-process.ts';
import { botSettings, clientSettings, opsSettings } from './settings.ts';
import { type RunningWeCom, startWeCom } from './wecom/start.ts';

/** A demo that runs: everything Keypad needs, on loopback, and Keypad itself as two processes. */
export interface Demo {
  /** What stands in `<directory>/env`. */
  readonly env: Readonly<Record<string, string>>;
  readonly wecom: RunningWeCom;
  readonly processes: Readonly<Record<'bot' | 'ops' | 'redis' | 'mariadb', PrivateProcess>>;
  /** Stops everything in order; no process is left. */
  stop(): Promise<void>;
}

export interface DemoOptions {
  /** Data, logs, kubeconfig and settings; kept between runs. */
  readonly directory: string;
  readonly ports: DemoPorts;
  /** A cluster of the user's own instead of the demo's. */
  readonly kubeconfig?: string | undefined;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Starts a demo. What was started before something failed is stopped again. Throws `InputError` for a taken port. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const next of stops.splice(0).reverse()) await next();
  };
  try {
    return { ...(await startParts(options, (next) => stops.push(next))), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(
  { ports, kubeconfig, ...options }: DemoOptions,
  onStop: (stop: () => Promise<void>) => void,
): Promise<Omit<Demo, 'stop'>> {
  const directory = resolve(options.directory);
  const inDirectory = (name: string) => join(directory, name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  await checkPorts(ports);
  const credentials = await loadCredentials(directory);
  const kept = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const started = await starting;
    onStop(started.stop);
    return started;
  };

  const [redis, mariadb] = await Promise.all([
    kept(startRedisServer({ directory: inDirectory('redis'), port: ports.redis })),
    kept(startMariadbServer({ directory: inDirectory('mariadb'), port: ports.mariadb })),
  ]);
  const databases = await kept(openDatabases(mariadb.url, credentials.databasePassword));
  const kubeconfigText =
    kubeconfig === undefined
      ? (await kept(startCluster({ port: ports.cluster, token: credentials.clusterToken, seed: demoSeed })))
          .kubeconfig
      : asDemoContext(kubeconfig);
  writeFileSync(inDirectory('kubeconfig'), kubeconfigText, { mode: 0o600 });
  const wecom = await kept(
    startWeCom({
      ...credentials,
      port: ports.phone,
      callbackUrls: [`http://127.0.0.1:${ports.bot}/wecom/callback`],
    }),
  );

  const parts = {
    credentials,
    ports,
    redisUrl: redis.url,
    databases,
    kubeconfig: inDirectory('kubeconfig'),
    policyFile: join(ROOT, 'deploy/policy.yaml'),
    menusDir: join(ROOT, 'menus'),
  };
  const logs = inDirectory('logs');
  const ops = await kept(
    startRole({ role: 'ops', env: opsSettings(parts), internalPort: ports.opsInternal, directory: logs }),
  );
  const bot = await kept(
    startRole({ role: 'bot', env: botSettings(parts), internalPort: ports.botInternal, directory: logs }),
  );
  const env = clientSettings(parts);
  const lines = Object.entries(env).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(inDirectory('env'), lines.join(''), { mode: 0o600 });
  return { env, wecom, processes: { bot, ops, redis, mariadb } };
}
