import { createHttpClient, type HttpAnswer, type HttpRequest } from '../../server/http-client.ts';
import type { Context } from './kubeconfig.ts';
import { createLogins, type PluginParts } from './logins.ts';
import type { Login } from './user-entry.ts';

/** A request to the API of a cluster. */
export interface KubernetesRequest {
  readonly method: HttpRequest['method'];
  /** Path and query, from the address of the cluster. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The way to a cluster as one version of the kubeconfig has it. */
export type Connection = ReturnType<typeof createConnection>;

/** A list of 1000 large objects. */
const MOST_BYTES = 64 * 1024 * 1024;

/** Opens one; nothing is sent or run before it is asked for something. */
export function createConnection(name: string, context: Context, plugins: PluginParts) {
  const { server, tls, proxyUrl } = context.cluster;
  const clientWith = ({ cert, key }: Login) => createHttpClient({ proxyUrl, tls: { ...tls, cert, key } });
  let open = { login: context.user.login, client: clientWith(context.user.login) };
  const clientFor = (login: Login) => {
    const isSame = login.cert === open.login.cert && login.key === open.login.key;
    if (!isSame) {
      open.client.leave();
      open = { login, client: clientWith(login) };
    }
    return open.client;
  };
  return {
    context,
    logins: createLogins(name, context, plugins),
    send(
      { method, path, headers, body }: KubernetesRequest,
      login: Login,
      timeoutMs: number,
    ): Promise<HttpAnswer> {
      const url = new URL(server + path);
      const all = { ...headers, ...login.headers };
      const request = { method, url, headers: all, timeoutMs, maxBytes: MOST_BYTES };
      return clientFor(login).send(body === undefined ? request : { ...request, body });
    },
    /** What is under way is finished, and the connections are left. */
    leave: () => open.client.leave(),
    /** Drops what is under way, too. */
    close: () => open.client.close(),
  };
}
