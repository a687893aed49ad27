import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningCluster, startCluster } from '../../demo/cluster/cluster.ts';
import { demoSeed } from '../../demo/cluster/seed.ts';
import type { PrivateProcess } from '../../demo/servers/private-process.ts';
import { startRedisServer } from '../../demo/servers/redis-server.ts';
import { startRole } from '../../demo/servers/role-process.ts';
import { type Demo, type DemoRole, startDemo } from '../../demo/start.ts';
import { putFreshMariadb } from './fresh-mariadb.ts';
import { choosePort, choosePorts } from './ports.ts';

/** What can be killed and started again. */
export type Killable = DemoRole | 'redis';

/** A whole demo for one test file, with a hand in its cluster and one on its processes. */
export interface TestDemo extends Demo {
  readonly directory: string;
  /** The demo's cluster; its kubeconfig leads straight to it, whatever stands in between for ops. */
  readonly cluster: RunningCluster;
  /** Types each line in turn as that user and answers the last reply. Throws when a line gets none. */
  say(user: string, ...lines: readonly string[]): Promise<string>;
  /** The texts that user got outside of replies, oldest first. */
  pushed(user: string): readonly string[];
  /** `kill -9`; answers when the process is gone. */
  kill(name: Killable): Promise<void>;
  /** Starts it again as it was: same settings, same port, same data. Answers when it is ready. */
  restart(name: Killable): Promise<void>;
  /** Starts one more replica of the bot and answers its callback URL. */
  addBot(): Promise<string>;
}

/** How a test's demo differs from everybody's. */
export interface TestDemoOptions {
  readonly settings?: Readonly<Record<string, string>>;
  /** Stands between message delivery and the demo's WeCom, whose address it is given; answers its own. */
  weComFor?(url: string): string;
  /** Writes the kubeconfig of ops, for a test that stands between ops and the cluster. */
  kubeconfigFor?(cluster: RunningCluster): string | Promise<string>;
}

/** A step of a pod's life; three make it ready, so that a change usually ends within its reply. */
const TICK_MS = 30;

/**
 * Starts a demo on free ports, in a directory of its own. Its `stop` removes the directory, and throws if any process
 * of it is left.
 */
export async function startTestDemo(options: TestDemoOptions = {}): Promise<TestDemo> {
  const { weComFor, kubeconfigFor = ({ kubeconfig }: RunningCluster) => kubeconfig } = options;
  const directory = mkdtempSync(join(tmpdir(), 'keypad-demo-'));
  const ports = await choosePorts();
  const api = weComFor?.(`http://127.0.0.1:${ports.phone}`);
  const settings = { ...options.settings, ...(api !== undefined && { WECOM_API_URL: api }) };
  const cluster = await startCluster({ port: 0, token: CLUSTER_TOKEN, seed: demoSeed, tick: TICK_MS });
  const leave = async (): Promise<void> => {
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  const kubeconfig = join(directory, 'cluster.yaml');
  writeFileSync(kubeconfig, await kubeconfigFor(cluster), { mode: 0o600 });
  putFreshMariadb(join(directory, 'mariadb'));
  const demo = await startDemo({
    directory,
    ports,
    own: { kubeconfig, environment: {} },
    settings,
    isThrowaway: true,
  }).catch(async (error: unknown) => {
    await leave();
    throw error;
  });

  const running = { ...demo.processes };
  const all: PrivateProcess[] = Object.values(running);
  const logs = join(directory, 'logs');
  const startAgain = (role: DemoRole, internalPort: number) =>
    startRole({ role, env: demo.roleEnv[role], internalPort, directory: logs });
  const start: Record<Killable, () => Promise<PrivateProcess>> = {
    bot: () => startAgain('bot', ports.botInternal),
    ops: () => startAgain('ops', ports.opsInternal),
    push: () => startAgain('push', ports.pushInternal),
    redis: () =>
      startRedisServer({
        directory: join(directory, 'redis'),
        port: ports.redis,
        password: new URL(demo.roleEnv.bot.REDIS_URL ?? '').password,
      }),
  };
  return {
    ...demo,
    directory,
    cluster,
    async say(user, ...lines) {
      let reply = '';
      for (const line of lines) {
        const said = await demo.wecom.say(user, line);
        if (said.reply === null) throw new Error(`no reply to ${line}: ${said.problem ?? 'an empty answer'}`);
        reply = said.reply;
      }
      return reply;
    },
    pushed: (user) =>
      demo.wecom
        .messages(user)
        .filter(({ kind }) => kind === 'push')
        .map(({ text }) => text),
    async kill(name) {
      const { process: child } = running[name];
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
    async restart(name) {
      running[name] = await start[name]();
      all.push(running[name]);
    },
    async addBot() {
      const [port, internalPort] = [await choosePort(), await choosePort()];
      const env = { ...demo.roleEnv.bot, BOT_PORT: `${port}`, BOT_INTERNAL_PORT: `${internalPort}` };
      all.push(await startRole({ role: 'bot', env, internalPort, directory: logs }));
      return `http://127.0.0.1:${port}/wecom/callback`;
    },
    async stop() {
      const [redis, mariadb] = [demo.processes.redis, demo.processes.mariadb];
      const started = all.filter((process) => process !== redis && process !== mariadb);
      await Promise.all(started.map((process) => process.stop()));
      await demo.stop();
      await leave();
      const left = all.map(({ process }) => process.pid).filter(isRunning);
      if (left.length > 0) throw new Error(`processes were left behind: ${left.join(', ')}`);
    },
  };
}

/** The bearer token of a test demo's cluster. */
export const CLUSTER_TOKEN = 'the-token-of-the-demo-cluster';

/** Whether a process with that id still runs; one that only waits for its parent to notice its end does not. */
export function isRunning(pid: number | undefined): boolean {
  try {
    return pid !== undefined && process.kill(pid, 0) && !isZombie(pid);
  } catch {
    return false;
  }
}

function isZombie(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && / Z /.test(readFileSync(stat, 'utf8'));
}
