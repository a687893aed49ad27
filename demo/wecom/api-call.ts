import type { ApiName } from './api-name.ts';

/** One call of the server API as it came over HTTP; `address` is the caller's. */
export interface ApiCall {
  readonly name: ApiName;
  readonly method: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  readonly contentType: string;
  readonly address: string;
}

/** What WeCom answers, always with HTTP 200. */
export interface ApiAnswer {
  readonly errcode: number;
  readonly errmsg: string;
  readonly [field: string]: unknown;
}
