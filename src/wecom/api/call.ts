import { mayHaveArrived, NoAnswer } from '../../errors.ts';
import type { HttpRequest, SendHttp } from '../../server/http-client.ts';
import type { Errcode } from './errcodes.ts';
import { WeComError } from './wecom-error.ts';

/** One request to the server API: a POST when there is a body or a form, else a GET. */
export interface ApiRequest {
  /** The path without `/cgi-bin/`, such as `message/send`. */
  readonly api: string;
  readonly query: Readonly<Record<string, string>>;
  /** Goes as JSON. */
  readonly body?: unknown;
  /** A whole body of multipart/form-data. */
  readonly form?: { readonly boundary: string; readonly bytes: Uint8Array };
}

/** A successful answer: JSON, not yet looked into. */
export type ApiAnswer = Readonly<Record<string, unknown>>;

/** What became of one request, for the metrics; 0 is success. */
export interface ApiCall {
  readonly api: string;
  readonly errcode: Errcode;
  readonly ms: number;
  /** WeCom's warning about an accepted request that it understood only in part (§4), for the log. */
  readonly warning?: string;
}

/** How calls of the server API are made. */
export interface CallOptions {
  readonly send: SendHttp;
  /** `https://qyapi.weixin.qq.com`, or a simulator, or a gateway and its path; no slash at its end. */
  readonly baseUrl: string;
  /** How long an answer may take in ms, body included; an upload may take a minute. */
  readonly timeoutMs?: number;
  /** Unix ms. */
  readonly now?: () => number;
  /** Called with the result of every request, for the metrics. */
  readonly onCall?: (call: ApiCall) => void;
}

/** How long an answer may take in ms, unless said otherwise. */
export const TIMEOUT_MS = 5000;
/** How long an upload may take in ms: 20 MB over a slow network. */
const UPLOAD_MS = 60_000;

/** Query parameters that are secret: the access token, the app's secret, the key of a robot (§4, §5). */
const SECRETS = ['access_token', 'corpsecret', 'key'] as const;
const WARNING = 'Warning: wrong json format';
const LONGEST_ERRMSG = 400;

/**
 * Sends one request, once. Resolves to the answer of errcode 0, otherwise throws a {@link WeComError}, in whose text
 * no secret of the query can occur. An answer with errcode 0 and a warning about the JSON is a success, since a repeat
 * would arrive twice; `onCall` gets the warning.
 */
export async function callApi(options: CallOptions, request: ApiRequest): Promise<ApiAnswer> {
  const { now = Date.now } = options;
  const start = now();
  const { errcode, errmsg: original = '', ...answer } = await exchange(options, request);
  const errmsg = withoutSecrets(`${original}`, request.query).slice(0, LONGEST_ERRMSG);
  const warning = errcode === 0 && errmsg.includes(WARNING) ? { warning: errmsg } : {};
  options.onCall?.({ api: request.api, errcode, ms: now() - start, ...warning });
  if (errcode !== 0) throw new WeComError(request.api, errcode, errmsg);
  return answer;
}

type AnyAnswer = ApiAnswer & { readonly errcode: Errcode };

async function exchange(options: CallOptions, request: ApiRequest): Promise<AnyAnswer> {
  const { send, baseUrl, timeoutMs: usual = TIMEOUT_MS } = options;
  const { api, query, form } = request;
  const timeoutMs = form === undefined ? usual : UPLOAD_MS;
  const url = new URL(`${baseUrl}/cgi-bin/${api}?${new URLSearchParams(query)}`);
  try {
    const { status, text } = await send({ url, timeoutMs, ...methodOf(request) });
    // A redirect too: to follow it would carry the token to wherever it points.
    if (status < 200 || status > 299) return { errcode: 'lost', errmsg: `HTTP ${status}` };
    const answer: AnyAnswer | null = JSON.parse(text);
    return typeof answer?.errcode === 'number' ? answer : { errcode: 'lost', errmsg: 'no errcode' };
  } catch (error) {
    return { errcode: mayHaveArrived(error) ? 'lost' : 'unsent', errmsg: reasonOf(error) };
  }
}

function methodOf({ body, form }: ApiRequest): Pick<HttpRequest, 'method' | 'headers' | 'body'> {
  if (form === undefined && body === undefined) return { method: 'GET' };
  const type = form === undefined ? 'application/json' : `multipart/form-data; boundary=${form.boundary}`;
  return { method: 'POST', headers: { 'content-type': type }, body: form?.bytes ?? JSON.stringify(body) };
}

/** A sentence of our own or a name, never another message: messages may quote the URL. */
export function reasonOf(error: unknown): string {
  if (error instanceof NoAnswer) return error.message;
  return error instanceof Error ? error.name : 'unknown';
}

function withoutSecrets(errmsg: string, query: Readonly<Record<string, string>>): string {
  const secrets = SECRETS.flatMap((name) => (query[name] ? [query[name]] : []));
  const spellings = secrets.flatMap((secret) => [secret, encodeURIComponent(secret)]);
  return spellings.reduce((text, secret) => text.replaceAll(secret, '…'), errmsg);
}
