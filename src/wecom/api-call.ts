import { mayHaveArrived } from '../errors.ts';
import type { Errcode } from './errcodes.ts';
import { WeComError } from './wecom-error.ts';

/** One request to the server API: a POST when there is a body, else a GET. */
export interface ApiRequest {
  /** The path without `/cgi-bin/`, such as `message/send`. */
  readonly api: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** A successful answer: JSON, not yet looked into. */
export type ApiAnswer = Readonly<Record<string, unknown>>;

/** What became of one request, for the metrics; 0 is success. */
export interface ApiCall {
  readonly api: string;
  readonly errcode: Errcode;
  readonly ms: number;
}

/** What a call needs of its surroundings. */
export interface ApiLine {
  readonly baseUrl: string;
  /** How long an answer may take, body included. */
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly onCall: (call: ApiCall) => void;
}

/**
 * Sends one request, once. Resolves to the answer of errcode 0, otherwise throws a {@link WeComError}, in whose text
 * no value of the query can occur: the access token and the secret travel there (§4).
 */
export async function callApi(line: ApiLine, request: ApiRequest): Promise<ApiAnswer> {
  const start = line.now();
  const { errcode, errmsg, answer } = await exchange(line, request);
  line.onCall({ api: request.api, errcode, ms: line.now() - start });
  if (errcode !== 0) throw new WeComError(request.api, errcode, withoutSecrets(errmsg, request.query));
  return answer;
}

interface Exchange {
  readonly errcode: Errcode;
  readonly errmsg: string;
  readonly answer: ApiAnswer;
}

async function exchange({ baseUrl, timeoutMs }: ApiLine, request: ApiRequest): Promise<Exchange> {
  const { api, query, body } = request;
  const url = new URL(`/cgi-bin/${api}?${new URLSearchParams(query)}`, baseUrl);
  const post = {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  };
  try {
    const response = await fetch(url, {
      ...(body === undefined ? {} : post),
      // A redirect would carry the token to wherever it points.
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) {
      await response.body?.cancel();
      return failure('lost', `HTTP ${response.status}`);
    }
    return readAnswer(await response.json());
  } catch (error) {
    return failure(mayHaveArrived(error) ? 'lost' : 'unsent', reasonOf(error));
  }
}

function readAnswer(answer: unknown): Exchange {
  if (typeof answer !== 'object' || answer === null || !('errcode' in answer)) {
    return failure('lost', 'an answer without errcode');
  }
  const { errcode, errmsg, ...rest } = answer as ApiAnswer;
  if (typeof errcode !== 'number') return failure('lost', 'an errcode that is no number');
  return { errcode, errmsg: `${errmsg ?? ''}`, answer: rest };
}

function failure(errcode: Errcode, errmsg: string): Exchange {
  return { errcode, errmsg, answer: {} };
}

/** A code or a name, never a message: messages may quote the URL. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.cause instanceof Error && 'code' in error.cause) return `${error.cause.code}`;
  return error.name;
}

function withoutSecrets(errmsg: string, query: Readonly<Record<string, string>>): string {
  return Object.values(query).reduce((text, value) => (value ? text.replaceAll(value, '…') : text), errmsg);
}
