import { createAccessTokens, type TokenStore } from './access-token.ts';
import { type ApiAnswer, type ApiRequest, type CallOptions, callApi, reasonOf, TIMEOUT_MS } from './call.ts';
import { withRetry } from './retry.ts';
import { WeComError } from './wecom-error.ts';

/** One app, and how its calls are made. Network, clock and waiting are arguments. */
export interface AppOptions extends CallOptions {
  readonly corpId: string;
  readonly secret: string;
  readonly agentId: number;
  /** Where the replicas share the token. */
  readonly tokens: TokenStore;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** What the clients of one app stand on: its calls, and the access token that they share. */
export type App = ReturnType<typeof openApp>;

/** Opens one app; its access token is fetched when it is first needed. */
export function openApp(options: AppOptions) {
  const { corpId, secret, agentId, tokens: store } = options;
  const { timeoutMs = TIMEOUT_MS, now = Date.now, sleep = wait } = options;
  const call = (request: ApiRequest): Promise<ApiAnswer> => callApi(options, request);
  const fetchToken = async () => {
    const query = { corpid: corpId, corpsecret: secret };
    return readToken(await withRetry(() => call({ api: 'gettoken', query }), sleep));
  };
  const tokens = createAccessTokens({ store, fetchToken, now, sleep });
  const token = (): Promise<string> => tokens.get().catch(failUnsent);
  return {
    agentId,
    now,
    sleep,
    /** Sends a request as it is, once. Throws a {@link WeComError}, as the others do. */
    call,
    /** A usable access token. When there is none, nothing was `lost`: that is `unsent`, whatever failed. */
    token,
    /** Sends a request with the token; when WeCom refuses that one, once more with a new one (§4.1). */
    async callWithToken(request: ApiRequest): Promise<ApiAnswer> {
      const start = now();
      const attempt = async (token: string): Promise<ApiAnswer> => {
        // A process that stood still while it waited for the token: somebody else may have sent this and what follows it.
        if (now() - start > timeoutMs) throw new WeComError(request.api, 'unsent', 'the token came late');
        return call({ ...request, query: { ...request.query, access_token: token } });
      };
      const first = await token();
      try {
        return await attempt(first);
      } catch (error) {
        if (!(error instanceof WeComError) || error.kind !== 'token') throw error;
      }
      await tokens.drop(first).catch(failUnsent);
      return attempt(await token());
    },
  };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function readToken(answer: ApiAnswer): { readonly token: string; readonly expiresIn: number } {
  const { access_token: token, expires_in: expiresIn } = answer;
  if (typeof token !== 'string' || token === '' || typeof expiresIn !== 'number' || !(expiresIn > 0)) {
    throw new WeComError('gettoken', 'unsent', 'an answer without access_token and expires_in');
  }
  return { token, expiresIn };
}

/** Every failure to get a token or to drop one, whatever failed: WeCom or the store. */
function failUnsent(error: unknown): never {
  if (error instanceof WeComError && error.errcode !== 'lost') throw error;
  const reason = error instanceof WeComError ? 'gettoken was not answered' : reasonOf(error);
  throw new WeComError('gettoken', 'unsent', `no access token: ${reason}`);
}
