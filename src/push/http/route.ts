import type { Readable } from 'node:stream';
import type { ZodType } from 'zod';
import type { App } from '../apps/app-cache.ts';
import type { RouteScope } from '../apps/scopes.ts';

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
  readonly headers?: Readonly<Record<string, string>>;
}

/** One route as data: the server, the OpenAPI document and the test of refusals are made from the same list. */
export interface Route<Body = unknown, Query = unknown> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Under `/v1`, with `:name` for a parameter. */
  readonly path: `/${string}`;
  readonly summary: string;
  /** The scope it takes, such as `templates`; absent: every app may use it, and the handler looks at the rest. */
  readonly scope?: RouteScope;
  /** JSON body; without it the handler reads `raw`. */
  readonly body?: ZodType<Body>;
  /** What a handler that reads `raw` takes, by content type, for the document; of NDJSON a line. */
  readonly accepts?: Readonly<Record<string, ZodType>>;
  readonly query?: ZodType<Query>;
  /** `stream`: the body is not read before the handler does; the caller says its hash in `X-Keypad-Content-SHA256`. */
  readonly reads?: 'stream';
  /** Largest body in bytes; 64 KiB unless said otherwise. */
  readonly bodyLimit?: number;
  /** What it answers, by status. */
  readonly answers: Readonly<Record<number, { readonly about: string; readonly schema?: ZodType }>>;
  handle(ask: Ask<Body, Query>): Promise<Answer>;
}

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

/** Carries the inference of body and query into the handler. */
export function route<Body = undefined, Query = undefined>(route: Route<Body, Query>): Route {
  return route as unknown as Route;
}

/** A refusal in one plain sentence. */
export function refuse(status: number, error: string): Answer {
  return { status, body: { error } };
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
