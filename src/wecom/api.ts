import { InputError } from '../errors.ts';
import { type AccessTokens, createAccessTokens, type TokenStore } from './access-token.ts';
import { type ApiAnswer, type ApiCall, type ApiRequest, callApi } from './api-call.ts';
import { readCallbackRange } from './callback-ranges.ts';
import { withRetry } from './retry.ts';
import { sendText } from './send-text.ts';
import { WeComError } from './wecom-error.ts';

/** One app and where its server API is. Clock and waiting are arguments so that tests need neither. */
export interface WeComApiOptions {
  /** `https://qyapi.weixin.qq.com`, or a simulator. */
  readonly baseUrl: string;
  readonly corpId: string;
  readonly secret: string;
  readonly agentId: number;
  readonly tokens: TokenStore;
  /** Told of every request, for the metrics. */
  readonly onCall?: (call: ApiCall) => void;
  /** How long one answer may take in ms; 5 s unless said otherwise. */
  readonly timeoutMs?: number;
  /** Unix ms. */
  readonly now?: () => number;
  readonly sleep?: (ms: number) => Promise<void>;
}

/** A member as `user/get` tells it (§4.8); departments by id. */
export interface Member {
  readonly userid: string;
  readonly name: string;
  readonly departments: readonly number[];
}

/** The part of the server API that Keypad calls (§4). Every method throws {@link WeComError} when WeCom says no. */
export interface WeComApi {
  /** Sends a text of any length to one member, cut where it must be; resolves to the msgid of the last part. */
  sendText(userid: string, text: string): Promise<{ readonly msgid: string }>;
  /** The networks that callbacks come from, as CIDRs (§4.7). */
  callbackRanges(): Promise<readonly string[]>;
  /** One member. */
  user(userid: string): Promise<Member>;
  /** Resolves when a usable access token is at hand, fetching one if need be: the app's id and secret are good. */
  checkToken(): Promise<void>;
}

/** Makes the client of one app's server API. The access token is fetched when it is first needed. */
export function createWeComApi(options: WeComApiOptions): WeComApi {
  const { baseUrl, corpId, secret, agentId, now = Date.now, sleep = wait } = options;
  const { onCall = () => {}, timeoutMs = 5000 } = options;
  const line = { baseUrl, onCall, timeoutMs, now };
  const fetchToken = async () => {
    const query = { corpid: corpId, corpsecret: secret };
    return readToken(await withRetry(() => callApi(line, { api: 'gettoken', query }), sleep));
  };
  const tokens = createAccessTokens({ store: options.tokens, fetchToken, now, sleep });

  const call = (request: ApiRequest, canRepeat = (_: WeComError) => true): Promise<ApiAnswer> => {
    const attempt = (token: string) =>
      callApi(line, { ...request, query: { ...request.query, access_token: token } });
    // A gettoken that failed has had its own repeats.
    const isOwn = (error: WeComError) => error.api === request.api;
    return withRetry(
      () => withToken(tokens, attempt),
      sleep,
      (error) => isOwn(error) && canRepeat(error),
    );
  };

  return {
    sendText: async (userid, text) => ({ msgid: await sendText({ agentId, call, sleep }, userid, text) }),
    callbackRanges: async () => readRanges(await call({ api: 'getcallbackip', query: {} })),
    user: async (userid) => readMember(await call({ api: 'user/get', query: { userid } })),
    checkToken: async () => void (await tokens.get()),
  };
}

/** Runs `attempt` with the token; when WeCom refuses that one, once more with a new one (§4.1). */
async function withToken<T>(tokens: AccessTokens, attempt: (token: string) => Promise<T>): Promise<T> {
  const token = await tokens.get();
  try {
    return await attempt(token);
  } catch (error) {
    if (!(error instanceof WeComError) || error.kind !== 'token') throw error;
  }
  await tokens.drop(token);
  return attempt(await tokens.get());
}

function readToken(answer: ApiAnswer): { readonly token: string; readonly expiresIn: number } {
  const { access_token: token, expires_in: expiresIn } = answer;
  if (typeof token !== 'string' || token === '' || typeof expiresIn !== 'number' || !(expiresIn > 0)) {
    throw new InputError('gettoken answered without access_token and expires_in');
  }
  return { token, expiresIn };
}

function readRanges({ ip_list: list }: ApiAnswer): readonly string[] {
  if (!Array.isArray(list) || list.length === 0)
    throw new InputError('getcallbackip answered without ip_list');
  return list.map((entry) => readCallbackRange(String(entry)));
}

function readMember({ userid, name, department }: ApiAnswer): Member {
  if (typeof userid !== 'string' || !Array.isArray(department)) {
    throw new InputError('user/get answered without userid and department');
  }
  return { userid, name: `${name ?? ''}`, departments: department.map(Number) };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
