import { InputError } from '../../errors.ts';
import type { SendHttp } from '../../server/http-client.ts';
import { type AccessTokens, createAccessTokens, type TokenStore } from './access-token.ts';
import { type ApiAnswer, type ApiCall, type CallOptions, callApi } from './call.ts';
import { withRetry } from './retry.ts';
import { WeComError } from './wecom-error.ts';

/** One app and where its server API is. Network, clock and waiting are arguments. */
export interface AppOptions {
  readonly send: SendHttp;
  /** `https://qyapi.weixin.qq.com`, or a simulator. */
  readonly baseUrl: string;
  readonly corpId: string;
  readonly secret: string;
  readonly agentId: number;
  /** Where the replicas share the token; or the tokens of another client of the same app in this process. */
  readonly tokens: TokenStore | AccessTokens;
  /** Called with the result of every request, for the metrics. */
  readonly onCall?: (call: ApiCall) => void;
  /** How long one answer may take in ms; 5 s unless said otherwise. */
  readonly timeoutMs?: number;
  /** Unix ms. */
  readonly now?: () => number;
  readonly sleep?: (ms: number) => Promise<void>;
}

/** How the calls of this app are made. */
export function callOptions({
  send,
  baseUrl,
  onCall = () => {},
  timeoutMs = 5000,
  now = Date.now,
}: AppOptions): CallOptions {
  return { send, baseUrl, onCall, timeoutMs, now };
}

/** The access token of the app, fetched when it is first needed; several clients in one process may share the result. */
export function createAppTokens(options: AppOptions): AccessTokens {
  const { tokens, corpId, secret, now = Date.now, sleep = wait } = options;
  if ('get' in tokens) return tokens;
  const fetchToken = async () => {
    const query = { corpid: corpId, corpsecret: secret };
    return readToken(await withRetry(() => callApi(callOptions(options), { api: 'gettoken', query }), sleep));
  };
  return createAccessTokens({ store: tokens, fetchToken, now, sleep });
}

/** Runs `attempt` with the token; when WeCom refuses that one, once more with a new one (§4.1). */
export async function withToken<T>(tokens: AccessTokens, attempt: (token: string) => Promise<T>): Promise<T> {
  const token = await tokens.get();
  try {
    return await attempt(token);
  } catch (error) {
    if (!(error instanceof WeComError) || error.kind !== 'token') throw error;
  }
  await tokens.drop(token);
  return attempt(await tokens.get());
}

/** Waits so many ms by the real clock. */
export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function readToken(answer: ApiAnswer): { readonly token: string; readonly expiresIn: number } {
  const { access_token: token, expires_in: expiresIn } = answer;
  if (typeof token !== 'string' || token === '' || typeof expiresIn !== 'number' || !(expiresIn > 0)) {
    throw new InputError('gettoken answered without access_token and expires_in');
  }
  return { token, expiresIn };
}
