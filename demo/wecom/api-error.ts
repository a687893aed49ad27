/** The error codes that are simulated here and what WeCom says with them (protocol §4.13). */
const sentences = {
  40001: 'invalid credential',
  40004: 'invalid media type',
  40005: 'invalid type',
  40006: 'invalid media size',
  40007: 'invalid media_id',
  40008: 'invalid message type',
  40013: 'invalid corpid',
  40014: 'invalid access_token',
  40032: 'invalid user list size',
  40056: 'invalid agentid',
  40058: 'invalid request parameter',
  40063: 'some parameters are empty',
  41001: 'access_token missing',
  41002: 'corpid missing',
  41004: 'corpsecret missing',
  41011: 'agentid missing',
  42001: 'access_token expired',
  44001: 'empty media data',
  44004: 'content is empty',
  45001: 'media size out of limit',
  45008: 'news count out of limit',
  45009: 'api freq out of limit',
  60020: 'not allow to access from your ip',
  60111: 'userid not found',
  81013: 'user & party & tag all invalid',
  82001: 'user & party & tag all empty',
  82002: 'invalid party list size',
  82003: 'invalid tag list size',
  86001: 'invalid chat id',
  86003: 'chatid is null',
  86008: 'chat not created by this app',
  93000: 'invalid webhook url',
  301002: 'not allow operate another agent with this accesstoken',
} as const;

export type Errcode = keyof typeof sentences;

/** A call that WeCom refuses; it goes back as `{ errcode, errmsg }` with HTTP 200. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly errcode: Errcode;

  constructor(errcode: Errcode, detail?: string) {
    super(detail === undefined ? sentences[errcode] : `${sentences[errcode]}, ${detail}`);
    this.errcode = errcode;
  }
}
