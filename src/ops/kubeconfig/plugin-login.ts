import * as z from 'zod';
import { InputError } from '../../errors.ts';
import type { Context } from './kubeconfig.ts';
import type { RunPlugin } from './plugin-process.ts';
import { bearer, checkPair, type Login } from './user-entry.ts';

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

/**
 * Makes what gets the login of a context from its plug-in. A login is used until it expires, or the cluster refuses it;
 * who asks while the plug-in runs waits for the same run. It throws an Error that says what is wrong, and shows no
 * secret.
 */
export function createPluginLogin({ cluster, user }: Context, { run, environment, now }: PluginParts) {
  const { plugin, login } = user;
  let current: (Login & { readonly until: number }) | undefined;
  let running: Promise<Login> | undefined;

  const ask = async (): Promise<Login> => {
    if (plugin === undefined) return login;
    const { apiVersion, command, args = [], env, provideClusterInfo, installHint } = plugin;
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
      throw new Error(`the plug-in ${command}: ${(error as Error).message}`);
    }
  };

  const get = (): Promise<Login> => {
    if (plugin === undefined) return Promise.resolve(login);
    if (current !== undefined && current.until > now()) return Promise.resolve(current);
    running ??= ask().finally(() => {
      running = undefined;
    });
    return running;
  };
  return {
    get,
    /** Another login than the one that the cluster has refused; undefined when there is no other. */
    async other(refused: Login): Promise<Login | undefined> {
      if (current === refused) current = undefined;
      const found = await get();
      return found === refused ? undefined : found;
    },
  };
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
