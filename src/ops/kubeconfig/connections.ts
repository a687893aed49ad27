import { ConfigError } from '../../errors.ts';
import type { HttpAnswer } from '../../server/http-client.ts';
import { createLoop } from '../../server/loop.ts';
import type { Clock } from '../clock.ts';
import { TargetFailed } from '../target-failed.ts';
import { type Connection, createConnection, type KubernetesRequest } from './connection.ts';
import { type Contexts, loadKubeconfig } from './kubeconfig.ts';
import { createPluginRunner, type PluginLimits } from './plugin-process.ts';
import { createReadings } from './readings.ts';

/** What happened to the files of the kubeconfig while the platform runs. */
export interface KubeconfigEvents {
  /** What they say now is what counts. */
  accepted(): void;
  /** Where they are wrong, what they said before goes on. */
  refused(problems: readonly string[]): void;
  onError(error: unknown): void;
}

export interface ConnectionsParts {
  /** The value of `KUBECONFIG`: one path, or several with `:` between them. */
  readonly kubeconfig: string;
  /** What plug-ins find in their environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly plugins?: PluginLimits;
  readonly clock: Pick<Clock, 'now'>;
  /** The contexts that the policy names; only these can be missed. */
  inUse(): readonly string[];
  readonly events: KubeconfigEvents;
}

/** How long a request may take in all: the login, the request, and its repetition with another login; ms. */
const LIMIT_MS = 3000;
const LOOK_EVERY_MS = 2000;

/** The ways to the clusters of a kubeconfig. */
export type Connections = Awaited<ReturnType<typeof openConnections>>;

/**
 * Opens the ways to all contexts of a kubeconfig, and follows its changes once `start` was called. No request is made and
 * no plug-in run. Throws a ConfigError when there is no kubeconfig, or none that can be read.
 */
export async function openConnections(parts: ConnectionsParts) {
  const { kubeconfig, environment, clock, inUse, events } = parts;
  const runner = createPluginRunner(parts.plugins);
  const open = new Map<string, Connection>();
  let readings = createReadings();
  let contexts: Contexts = new Map();
  let wrong: readonly string[] = [];

  const missing = (name: string) => ({ problem: `KUBECONFIG has no context "${name}"` });
  /** Answers what is wrong in so far as it matters; what was open for these contexts stays so. */
  const load = async (needed: readonly string[]): Promise<readonly string[]> => {
    readings = createReadings();
    contexts = await loadKubeconfig(kubeconfig, readings.read);
    const problems: string[] = [];
    for (const name of new Set([...needed, ...open.keys(), ...contexts.keys()])) {
      const context = contexts.get(name) ?? missing(name);
      const before = open.get(name);
      if ('problem' in context) {
        if (needed.includes(name)) problems.push(context.problem);
        else if (open.delete(name)) before?.leave();
      } else if (JSON.stringify(context) !== JSON.stringify(before?.context)) {
        open.set(name, createConnection(name, context, { run: runner.run, environment, now: clock.now }));
        before?.leave();
      }
    }
    return problems;
  };
  const once = async (): Promise<void> => {
    if (await readings.haveChanged()) {
      wrong = await load(inUse()).catch((error: unknown) => {
        if (error instanceof ConfigError) return error.problems;
        throw error;
      });
      if (wrong.length === 0) events.accepted();
    } else if (wrong.length > 0) {
      // Files are replaced one after another, and written in several steps: only what stays wrong is told, and once.
      events.refused(wrong);
      wrong = [];
    }
  };
  let looking: Promise<void> | undefined;
  const look = (): Promise<void> => {
    looking ??= once().finally(() => {
      looking = undefined;
    });
    return looking;
  };

  const connectionTo = (name: string): Connection => {
    const connection = open.get(name);
    if (connection !== undefined) return connection;
    throw new TargetFailed(`集群 ${name} 没有配置`, { mayHaveHappened: false });
  };
  /** The same, unless its logins fail, and will not be tried for a while, and no file says something else by now. */
  const readyConnectionTo = async (name: string): Promise<Connection> => {
    if (connectionTo(name).logins.isResting()) await look();
    const connection = connectionTo(name);
    connection.logins.check();
    return connection;
  };
  const send = async (name: string, request: KubernetesRequest): Promise<HttpAnswer> => {
    const end = performance.now() + LIMIT_MS;
    const left = (): number => Math.max(1, Math.ceil(end - performance.now()));
    const connection = await readyConnectionTo(name);
    const login = await loginWithin(name, connection.logins.get(), left());
    const answer = await connection.send(request, login, left());
    if (answer.status !== 401) return accepted(connection, answer);
    // The cluster has done nothing, so the request may be sent once more: a file may say something else by now, and a
    // plug-in is asked anew.
    await look();
    const fresh = connectionTo(name);
    const other = await loginWithin(name, fresh.logins.other(login), left());
    const again = other && (await fresh.send(request, other, left()));
    if (again !== undefined && again.status !== 401) return accepted(fresh, again);
    fresh.logins.refused(other ?? login);
    return again ?? answer;
  };

  await load([]);
  const following = createLoop({ restMs: LOOK_EVERY_MS, work: look, onError: events.onError });
  return {
    /** Why a context cannot be used; undefined when it can. */
    problemOf(name: string): string | undefined {
      if (open.has(name)) return undefined;
      const found = contexts.get(name) ?? missing(name);
      return 'problem' in found ? found.problem : undefined;
    },
    /**
     * Sends a request to the cluster of a context, for 3 s at most. A login that the cluster answers 401 to is fetched
     * anew, once; while there is none that is accepted, it is tried ever more seldom. Throws a TargetFailed when there is no login, and a NoAnswer when no whole answer comes.
     */
    send,
    /** Reads the files again if they say something else, and tells what is wrong with them. */
    async reload(): Promise<void> {
      await look();
      await look();
    },
    start: following.start,
    async close(): Promise<void> {
      await following.stop();
      runner.close();
      await Promise.all([...open.values()].map((connection) => connection.close()));
    },
  };
}

function accepted(connection: Connection, answer: HttpAnswer): HttpAnswer {
  connection.logins.accepted();
  return answer;
}

/** A login that takes longer is there for the next request. */
async function loginWithin<T>(name: string, login: Promise<T>, ms: number): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    const cause = new Error(`no login within ${LIMIT_MS} ms`);
    late.reject(
      new TargetFailed(`集群 ${name} 的登录凭据还没有拿到，请稍后再试`, { mayHaveHappened: false, cause }),
    );
  }, ms);
  try {
    return await Promise.race([login, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
