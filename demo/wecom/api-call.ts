/** The server APIs that are simulated here, as their paths under `/cgi-bin/` (protocol §4, §5). */
export const apiNames = [
  'gettoken',
  'message/send',
  'message/recall',
  'message/update_template_card',
  'appchat/send',
  'media/upload',
  'webhook/send',
  'webhook/upload_media',
  'getcallbackip',
  'user/get',
] as const;
export type ApiName = (typeof apiNames)[number];

/** Whether an API is simulated here. */
export function isApiName(name: string): name is ApiName {
  return (apiNames as readonly string[]).includes(name);
}

/** One call of the server API as it came over HTTP; `address` is the caller's. */
export interface ApiCall {
  /** Of an API that is simulated here, or any other path. */
  readonly name: string;
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
