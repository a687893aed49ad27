import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../src/config/read-settings.ts';
import { type RunningCaches, startCaches } from './caches.ts';
import { startCluster } from './cluster/cluster.ts';
import { demoSeed } from './cluster/seed.ts';
import { loadCredentials } from './credentials.ts';
import { kubeconfigFor } from './kubeconfig.ts';
import { openPushApps } from './push-apps.ts';
import { openDatabases } from './servers/databases.ts';
import { startMariadbServer } from './servers/mariadb-server.ts';
import { checkPorts, type DemoPorts } from './servers/ports.ts';
import type { PrivateProcess } from './servers/private-process.ts';
import { startRedisServer } from './servers/redis-server.ts';
import { startRole } from './servers/role-process.ts';
import { botSettings, clientSettings, DEMO_ROBOT, envFile, opsSettings, pushSettings } from './settings.ts';
import { forTeamServices } from './team-services.ts';
import { type RunningWeCom, startWeCom } from './wecom/start.ts';

/** A demo that runs: everything Keypad needs, on loopback, and Keypad itself as three processes. */
export interface Demo {
  /** What stands in `<directory>/env`. */
  readonly env: Readonly<Record<string, string>>;
  readonly wecom: RunningWeCom;
  readonly caches: RunningCaches;
  readonly processes: Readonly<Record<DemoRole | 'redis' | 'mariadb', PrivateProcess>>;
  /** The environment of each role: what stands in `env` but for the bot's own app. */
  readonly roleEnv: Readonly<Record<DemoRole, Readonly<Record<string, string>>>>;
  /** Stops everything in order; no process is left. */
  stop(): Promise<void>;
}

/** The roles that a demo runs. */
export type DemoRole = 'bot' | 'ops' | 'push';

export interface DemoOptions {
  /** Data, logs, kubeconfig and settings; kept between runs. */
  readonly directory: string;
  readonly ports: DemoPorts;
  /** A cluster of the user's own instead of the demo's: its `KUBECONFIG`, and what its plug-ins find in their environment. */
  readonly own?: { readonly kubeconfig: string; readonly environment: Environment } | undefined;
  /** Settings of all roles beside those that a demo makes up, or in their place. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Whether each role starts anew when its code in src changes. */
  readonly isWatched?: boolean;
  /** Hears of menus and policies that a role refuses. */
  readonly say?: (text: string) => void;
  /** Nobody needs its data afterwards: MariaDB does not wait for the disk. */
  readonly isThrowaway?: boolean;
}

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** Whatever can be stopped. */
interface Part {
  stop(): Promise<void>;
}

/** Takes note of a part that is being started, so that it is stopped in the end, whatever happens. */
type Keep = <T extends Part>(starting: Promise<T>) => Promise<T>;

/** Starts a demo. What was started before something failed is stopped again. Throws `InputError` for a taken port. */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const roles: Promise<Part>[] = [];
  const pushes: Promise<Part>[] = [];
  const servers: Promise<Part>[] = [];
  const stop = async (): Promise<void> => {
    // Bot and ops finish what they are at, for which they need message delivery, and all of them the servers.
    await stopAll(roles.splice(0));
    await stopAll(pushes.splice(0));
    await stopAll(servers.splice(0));
  };
  try {
    const keepers = { keepRole: keepIn(roles), keepPush: keepIn(pushes), keep: keepIn(servers) };
    return { ...(await startParts(options, keepers)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function keepIn(list: Promise<Part>[]): Keep {
  return (starting) => {
    list.push(starting);
    // Whoever needs it awaits it later; until then a failure must not count as an unhandled rejection.
    starting.catch(() => {});
    return starting;
  };
}

/** Waits also for what was still being started when something else failed: it would be left behind. */
async function stopAll(parts: readonly Promise<Part>[]): Promise<void> {
  const started = await Promise.allSettled(parts);
  await Promise.all(started.map((part) => (part.status === 'fulfilled' ? part.value.stop() : undefined)));
}

/** Starts everything at once, but for what one part needs of another. */
async function startParts(
  options: DemoOptions,
  { keepRole, keepPush, keep }: Readonly<Record<'keepRole' | 'keepPush' | 'keep', Keep>>,
): Promise<Omit<Demo, 'stop'>> {
  const { ports, settings = {}, isWatched = false, isThrowaway = false } = options;
  const directory = resolve(options.directory);
  const inDirectory = (name: string) => join(directory, name);
  // Not recursive, since Node then says ENOENT for a disk that is read-only.
  if (!existsSync(directory)) mkdirSync(directory, { mode: 0o700 });
  await checkPorts(ports);
  const credentials = await loadCredentials(directory);
  const fixed = {
    credentials,
    ports,
    ...forTeamServices({
      ...{ directory, ports, token: credentials.cacheToken },
      policyFile: join(ROOT, 'deploy/policy.yaml'),
    }),
    ...{ menusDir: join(ROOT, 'menus'), operationsDir: join(ROOT, 'operations') },
  };
  const callbackUrls = [`http://127.0.0.1:${ports.bot}/wecom/callback`];

  const redis = keep(
    startRedisServer({
      directory: inDirectory('redis'),
      port: ports.redis,
      password: credentials.serverPassword,
    }),
  );
  const mariadb = keep(
    startMariadbServer({
      directory: inDirectory('mariadb'),
      port: ports.mariadb,
      password: credentials.serverPassword,
      isThrowaway,
    }),
  );
  const wecom = keep(
    startWeCom({
      ...credentials,
      port: ports.phone,
      callbackUrls,
      robots: { [DEMO_ROBOT]: credentials.robotKey },
    }),
  );
  const databases = keep(mariadb.then(({ url }) => openDatabases(url, credentials.databasePassword)));
  const apps = databases.then(({ pushUrl }) => openPushApps(pushUrl, credentials.masterKey));
  // Whoever needs it awaits it later; until then a failure must not count as an unhandled rejection.
  apps.catch(() => {});
  const role = (name: DemoRole, internalPort: number, env: Readonly<Record<string, string>>) =>
    startRole({
      role: name,
      env: { ...env, ...settings },
      internalPort,
      directory: inDirectory('logs'),
      isWatched,
      say: options.say,
    });
  const push = keepPush(
    Promise.all([databases, apps, wecom]).then(([urls]) =>
      role('push', ports.pushInternal, pushSettings({ ...fixed, databases: urls })),
    ),
  );
  const bot = keepRole(
    Promise.all([redis, apps]).then(([{ url: redisUrl }, made]) =>
      role('bot', ports.botInternal, botSettings({ ...fixed, redisUrl, apps: made })),
    ),
  );
  const caches = keep(startCaches({ port: ports.caches, token: credentials.cacheToken }));
  const cluster = await kubeconfigFor(options.own, () =>
    keep(startCluster({ port: ports.cluster, token: credentials.clusterToken, seed: demoSeed })),
  );
  writeFileSync(inDirectory('kubeconfig'), cluster.text, { mode: 0o600 });
  const forOps = { ...fixed, kubeconfig: [inDirectory('kubeconfig'), ...cluster.behind].join(delimiter) };
  const ops = keepRole(
    Promise.all([databases, apps]).then(([urls, made]) =>
      role('ops', ports.opsInternal, {
        ...cluster.environment,
        ...opsSettings({ ...forOps, databases: urls, apps: made }),
      }),
    ),
  );

  const parts = { ...forOps, redisUrl: (await redis).url, databases: await databases, apps: await apps };
  const env = { ...clientSettings(parts), ...settings };
  const processes = {
    bot: await bot,
    ops: await ops,
    push: await push,
    redis: await redis,
    mariadb: await mariadb,
  };
  writeFileSync(inDirectory('env'), envFile(env), { mode: 0o600 });
  const roleEnv = {
    bot: { ...botSettings(parts), ...settings },
    ops: { ...opsSettings(parts), ...settings },
    push: { ...pushSettings(parts), ...settings },
  };
  return { env, roleEnv, wecom: await wecom, caches: await caches, processes };
}
