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
  41010: 'url missing',
  41011: 'agentid missing',
  41016: 'title missing',
  41033: 'description missing',
  42001: 'access_token expired',
  42014: 'task_id is invalid or was used before',
  42019: 'button key missing',
  42020: 'button name missing',
  42027: 'horizontal_content_list.keyname missing',
  42028: 'url missing',
  42029: 'media_id missing',
  42030: 'appid missing',
  42031: 'invalid card_type',
  42033: 'title missing',
  42035: 'invalid horizontal_content_list size',
  42036: 'invalid vertical_content_list size',
  42037: 'invalid option_list size',
  42038: 'button text missing',
  42039: 'button key missing, invalid or repeated',
  42040: 'option id missing',
  42041: 'option text missing',
  42042: 'invalid jump_list size',
  42043: 'question_key missing or invalid',
  42044: 'card_image.url missing',
  42045: 'card_action missing or invalid',
  42046: 'submit_button.key missing or invalid',
  42047: 'invalid select_list size',
  42050: 'invalid userid in horizontal_content_list',
  42051: 'repeated key in action_menu',
  44001: 'empty media data',
  44004: 'content is empty',
  45001: 'media size out of limit',
  45008: 'news count out of limit',
  45009: 'api freq out of limit',
  48002: 'api forbidden',
  60020: 'not allow to access from your ip',
  60111: 'userid not found',
  60140: 'invalid response_code',
  81013: 'user & party & tag all invalid',
  82001: 'user & party & tag all empty',
  82002: 'invalid party list size',
  82003: 'invalid tag list size',
  86001: 'invalid chat id',
  86003: 'chatid is null',
  86008: 'chat not created by this app',
  90207: 'invalid miniprogram appid',
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
