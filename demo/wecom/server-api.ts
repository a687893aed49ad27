import type { AccessTokens } from './access-tokens.ts';
import type { ApiAnswer, ApiCall, ApiName } from './api-call.ts';
import { ApiError } from './api-error.ts';
import type { Clock, Member, WeComApp } from './app.ts';
import { readJson } from './fields.ts';
import { createFrequency } from './frequency.ts';
import type { GroupSend } from './group-send.ts';
import { upload } from './media-upload.ts';
import type { SendMessage } from './message-send.ts';
import type { Uploads } from './uploads.ts';

/** How Tencent's side is set up, beside the app itself. */
export interface ApiSettings {
  /** The answer of getcallbackip; wildcards such as `101.226.103.*` occur (protocol §4.7). */
  readonly callbackAddresses: readonly string[];
  /** The app's trusted addresses (企业可信IP): calls with a token from elsewhere get 60020. Unset, all may call. */
  readonly trustedEgress?: readonly string[];
  /** Basic calls a minute before 45009; WeCom's own number is 10,000, message/send does not count (protocol §4.12). */
  readonly callsPerMinute: number;
}

/** APIs that no access token is for. */
const open: ReadonlySet<ApiName> = new Set(['gettoken', 'webhook/send', 'webhook/upload_media']);
/** APIs that the limit of basic calls does not count: they have limits of their own. */
const uncounted: ReadonlySet<ApiName> = new Set(['message/send', 'appchat/send', 'webhook/send']);

/** Makes the function that answers every call of the server API (protocol §4, §5). */
export function createServerApi(options: {
  readonly app: WeComApp;
  readonly members: readonly Member[];
  readonly tokens: AccessTokens;
  readonly sendMessage: SendMessage;
  readonly groups: GroupSend;
  /** Takes a message back; throws 40058 when that cannot be. */
  readonly recall: (msgid: unknown) => void;
  readonly uploads: Uploads;
  readonly settings: ApiSettings;
  readonly clock: Clock;
}): (call: ApiCall) => Promise<ApiAnswer> {
  const { app, members, tokens, sendMessage, groups, recall, uploads, settings, clock } = options;
  const basic = createFrequency([{ count: settings.callsPerMinute, seconds: 60 }], clock);

  const apis: Record<ApiName, (call: ApiCall) => object | undefined | Promise<object>> = {
    gettoken: ({ query }) => {
      const { token, expiresIn } = tokens.issue(query.corpid, query.corpsecret);
      return { access_token: token, expires_in: expiresIn };
    },
    getcallbackip: () => ({ ip_list: settings.callbackAddresses }),
    'user/get': ({ query }) => {
      const member = members.find(({ userid }) => userid.toLowerCase() === query.userid?.toLowerCase());
      if (member === undefined) throw new ApiError(60111);
      return { ...member, status: 1 };
    },
    'message/send': (call) => sendMessage(posted(call)),
    'message/recall': (call) => void recall(posted(call).msgid),
    'appchat/send': (call) => void groups.toChat(posted(call)),
    'media/upload': (call) => upload(uploads, call, null),
    'webhook/send': (call) => void groups.byRobot(groups.robotOf(call.query.key), posted(call)),
    'webhook/upload_media': (call) => upload(uploads, call, groups.robotOf(call.query.key)),
  };

  const checkCaller = ({ query, address }: ApiCall): void => {
    tokens.check(query.access_token);
    if (settings.trustedEgress?.includes(address) === false) {
      throw new ApiError(60020, `from ip: ${address}`);
    }
  };

  return async (call) => {
    try {
      if (!uncounted.has(call.name) && !basic.allows(`${app.corpId} ${call.name}`)) throw new ApiError(45009);
      if (!open.has(call.name)) checkCaller(call);
      return { errcode: 0, errmsg: 'ok', ...(await apis[call.name](call)) };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return { errcode: error.errcode, errmsg: error.message };
    }
  };
}

function posted({ method, body }: ApiCall): Readonly<Record<string, unknown>> {
  if (method !== 'POST') throw new ApiError(40058);
  return readJson(body);
}
