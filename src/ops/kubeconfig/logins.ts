import * as z from 'zod';
import { InputError } from '../../errors.ts';
import { TargetFailed } from '../target-failed.ts';
import { createBackOff } from './back-off.ts';
import type { Context } from './kubeconfig.ts';
import type { RunPlugin } from './plugin-process.ts';
import { bearer, checkPair, type Login, type PluginEntry } from './user-entry.ts';

/** What a plug-in is run with. */
export interface PluginParts {
  readonly run: RunPlugin;
  /** The environment that a plug-in adds its own to. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Unix milliseconds. */
  now(): number;
}

const status = z.looseObject({
  expirationTimestamp: z.iso.datetime({ offset: true }).nullish(),
  token: z.string().min(1).nullish(),
  clientCertificateData: z.string().min(1).nullish(),
  clientKeyData: z.string().min(1).nullish(),
});

/** What gives out the logins of a context. */
export type Logins = ReturnType<typeof createLogins>;

/**
 * Makes what gives out the logins of a context: what stands in its entry, or what its plug-in answers. The latter is used
 * until it expires, or the cluster refuses it; who asks while the plug-in runs waits for the same run. While the plug-in
 * fails, or the cluster refuses what it is shown, both are asked ever more seldom, and `check` and `get` throw the last
 * reason. What they throw is a TargetFailed that shows no secret.
 */
export function createLogins(
  name: string,
  { cluster, user }: Context,
  { run, environment, now }: PluginParts,
) {
  const { plugin, login } = user;
  const backOff = createBackOff(now);
  let current: (Login & { readonly until: number }) | undefined;
  let running: Promise<Login> | undefined;

  const ask = async (entry: PluginEntry): Promise<Login> => {
    const { apiVersion, command, args = [], env, provideClusterInfo, installHint } = entry;
    const info = {
      kind: 'ExecCredential',
      apiVersion,
      spec: { interactive: false, ...(provideClusterInfo && { cluster: cluster.info }) },
    };
    const call = {
      command,
      args,
      env: { ...environment, ...env, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
      installHint,
    };
    try {
      const { token, clientCertificateData, clientKeyData, expirationTimestamp } = readAnswer(
        await run(call),
        apiVersion,
      );
      const pair = { cert: clientCertificateData ?? login.cert, key: clientKeyData ?? login.key };
      checkPair(pair.cert, pair.key);
      const until = expirationTimestamp ? Date.parse(expirationTimestamp) : Number.POSITIVE_INFINITY;
      current = { headers: { ...login.headers, ...(token && bearer(token.trim())) }, ...pair, until };
      return current;
    } catch (error) {
      const cause = new Error(`the plug-in ${command}: ${(error as Error).message}`);
      const failure = failed(`集群 ${name} 的登录凭据拿不到，请联系运维负责人`, cause);
      backOff.failed(failure);
      throw failure;
    }
  };
  const check = (): void => {
    const why = backOff.why();
    const leftMs = backOff.leftMs();
    if (why === undefined || leftMs === 0) return;
    const again = `not tried again for ${Math.ceil(leftMs / 1000)} s`;
    throw failed(why.message, new Error(`${(why.cause as Error).message}; ${again}`));
  };
  const get = async (): Promise<Login> => {
    if (plugin === undefined) return login;
    if (current !== undefined && current.until > now()) return current;
    running ??= ask(plugin).finally(() => {
      running = undefined;
    });
    return running;
  };
  const drop = (refused: Login): void => {
    if (current === refused) current = undefined;
  };
  return {
    isResting: () => backOff.leftMs() > 0,
    /** Throws why nothing is sent now, while that is so. */
    check,
    get,
    /** Another login than the one that the cluster has refused; undefined when there is no other. */
    async other(refused: Login): Promise<Login | undefined> {
      drop(refused);
      // While it fails, each try is one request with what was asked for just then.
      if (backOff.why() !== undefined) return undefined;
      const found = await get();
      return found === refused ? undefined : found;
    },
    /** Takes note of what the cluster thinks of a login that there is no other for. */
    refused(shown: Login): void {
      drop(shown);
      backOff.failed(
        failed(`集群 ${name} 不允许 Keypad 这样做（401）`, new Error('the cluster refuses the login (401)')),
      );
    },
    accepted: backOff.succeeded,
  };
}

function failed(message: string, cause: Error): TargetFailed {
  return new TargetFailed(message, { mayHaveHappened: false, cause });
}

function readAnswer(output: string, apiVersion: string): z.infer<typeof status> {
  const answer = z.looseObject({
    kind: z.literal('ExecCredential'),
    apiVersion: z.literal(apiVersion),
    status,
  });
  const read = answer.safeParse(parsed(output));
  if (!read.success) {
    const wrong = read.error.issues.map(({ path, message }) => [...path, message].join(': '));
    throw new InputError(`its answer cannot be used: ${wrong.join('; ')}`);
  }
  const found = read.data.status;
  if (!found.token && !found.clientCertificateData && !found.clientKeyData) {
    throw new InputError('its answer has neither a token nor a client certificate');
  }
  return found;
}

/** JSON's own error would quote the text. */
function parsed(output: string): unknown {
  try {
    return JSON.parse(output);
  } catch {
    throw new InputError('its answer is no JSON');
  }
}
