import type { Readable } from 'node:stream';
import type { ZodType } from 'zod';
import type { App } from '../apps/app-cache.ts';
import { type RouteScope, routeScopes } from '../apps/scopes.ts';

/** Who sends the request: an app whose signature was checked. */
export type Caller = Pick<App, 'app' | 'scopes' | 'callbackHosts'>;

/** One request, checked as far as its route's schemas go. */
export interface Ask<Body = unknown, Query = unknown> {
  readonly caller: Caller;
  /** The `:names` of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly body: Body;
  readonly query: Query;
  /** The body as it came: bytes, or for a streamed route the stream, whose hash is checked when it has ended. */
  readonly raw: Buffer | Readable;
  readonly contentType: string;
  /** SHA-256 of the body, hex. */
  readonly bodyHash: string;
  /** Aborted when the server is about to close: who waits for something answers as far as it has come. */
  readonly closing?: AbortSignal;
}

/** What a route answers; `body` goes out as JSON. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** One route as data: the server, the OpenAPI document and the test of refusals are made from the same list. */
export interface Route<Body = unknown, Query = unknown> {
  readonly method: Method;
  /** Under `/v1`, with `:name` for a parameter. */
  readonly path: `/${string}`;
  readonly summary: string;
  /** The scope it takes, such as `templates`; undefined: every app may use it, and the handler looks at the rest. */
  readonly scope: RouteScope | undefined;
  /** JSON body; without it the handler reads `raw`. */
  readonly body?: ZodType<Body>;
  /** What the route takes, by content type, and nothing else: its JSON `body`, or what a handler that reads `raw` says; of NDJSON a line. */
  readonly accepts: Readonly<Record<string, ZodType>>;
  readonly query?: ZodType<Query>;
  /** `stream`: the handler reads the body as it comes, instead of having all of it in memory. */
  readonly reads?: 'stream';
  /** Largest body in bytes; 64 KiB unless said otherwise. */
  readonly bodyLimit?: number;
  /** By status: the form of the answer or, of a refusal, when it comes. */
  readonly answers: Readonly<Record<number, ZodType | string>>;
  handle(ask: Ask<Body, Query>): Promise<Answer>;
}

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** A route as it is declared. With `reply` it answers what that resolves to, under the first status of its `answers`. */
type Declared<Body, Query> = Omit<Route<Body, Query>, 'method' | 'path' | 'scope' | 'accepts' | 'handle'> &
  Partial<Pick<Route, 'accepts'>> &
  ({ handle(ask: Ask<Body, Query>): Promise<Answer> } | { reply(ask: Ask<Body, Query>): Promise<unknown> });

/** Ends a request with a status, one plain sentence for the caller, and headers. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/**
 * Makes a route out of its method and path, such as `GET /templates/:key`, and what is declared of it. The routes under
 * the name of a scope take that scope.
 */
export function route<Body = undefined, Query = undefined>(
  line: `${Method} /${string}`,
  declared: Declared<Body, Query>,
): Route {
  const [method, path = ''] = line.split(' ');
  const scope = routeScopes.find((each) => path.split('/')[1] === each);
  const status = Number(Object.keys(declared.answers)[0]);
  const handle = async (ask: Ask<Body, Query>): Promise<Answer> =>
    'handle' in declared ? declared.handle(ask) : { status, body: await declared.reply(ask) };
  const { body, accepts = body === undefined ? {} : { 'application/json': body } } = declared;
  return { ...declared, method, path, scope, accepts, handle } as unknown as Route;
}

/** What a list answers beside a page: `next`, to be given as `after`; nothing when the page is not full, so the last. */
export function nextPage<Row>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => string,
): { readonly next?: string } {
  const last = rows.length < limit ? undefined : rows.at(-1);
  return last === undefined ? {} : { next: keyOf(last) };
}
