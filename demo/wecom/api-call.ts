/** The server APIs that are simulated here, as their paths under `/cgi-bin/` (protocol §4, §5). */
export const apiNames = [
  'gettoken',
  'message/send',
  'message/recall',
  'appchat/send',
  'media/upload',
  'webhook/send',
  'webhook/upload_media',
  'getcallbackip',
  'user/get',
] as const;
export type ApiName = (typeof apiNames)[number];

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
