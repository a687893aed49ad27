import type { AccessTokens } from './access-tokens.ts';
import { type ApiAnswer, type ApiCall, type ApiName, isApiName } from './api-call.ts';
import { ApiError } from './api-error.ts';
import type { Clock, Member } from './app.ts';
import { type Fields, readJson } from './fields.ts';
import { createBlockingFrequency } from './frequency.ts';
import type { GroupSend } from './group-send.ts';
import { upload } from './media-upload.ts';
import type { SendMessage } from './message-send.ts';
import type { Uploads } from './uploads.ts';
import { userGet } from './user-get.ts';

/** How Tencent's side is set up, beside the app itself. */
export interface ApiSettings {
  /** The answer of getcallbackip; wildcards such as `101.226.103.*` occur (protocol §4.7). */
  readonly callbackAddresses: readonly string[];
  /** The app's trusted addresses (企业可信IP): calls with a token from elsewhere get 60020. Unset, all may call. */
  readonly trustedEgress?: readonly string[];
  /** Basic calls a minute before 45009; WeCom's own number is 10,000, and 150,000 an hour; message/send does not count (protocol §4.12). */
  readonly callsPerMinute: number;
}

/** APIs that no access token is for. */
const open: ReadonlySet<string> = new Set(['gettoken', 'webhook/send', 'webhook/upload_media']);
/** APIs that the limit of basic calls does not count: they have limits of their own. */
const uncounted: ReadonlySet<string> = new Set(['message/send', 'appchat/send', 'webhook/send']);

/** APIs that are called by POST: another method brings no body, which is 40058 (protocol §4.13). */
const posted: ReadonlySet<string> = new Set([
  ...['message/send', 'message/recall', 'message/update_template_card', 'appchat/send', 'media/upload'],
  ...['webhook/send', 'webhook/upload_media'],
]);

const PER_HOUR = { count: 150_000, seconds: 3600 };

/** Makes the function that answers every call of the server API (protocol §4, §5). */
export function createServerApi(options: {
  readonly members: readonly Member[];
  readonly tokens: AccessTokens;
  readonly sendMessage: SendMessage;
  readonly groups: GroupSend;
  /** Takes a message back; throws 40058 when that cannot be. */
  readonly recall: (msgid: unknown) => void;
  readonly updateCard: (body: Fields) => object;
  readonly uploads: Uploads;
  readonly settings: ApiSettings;
  readonly clock: Clock;
}): (call: ApiCall) => Promise<ApiAnswer> {
  const { members, tokens, sendMessage, groups, recall, updateCard, uploads, settings, clock } = options;
  // The limits of one address are higher, and those of a day follow from how many accounts an enterprise has bought (§4.12):
  // both are left out.
  const basic = createBlockingFrequency([{ count: settings.callsPerMinute, seconds: 60 }, PER_HOUR], clock);

  const apis: Record<ApiName, (call: ApiCall) => object | undefined | Promise<object>> = {
    gettoken: ({ query }) => {
      const { token, expiresIn } = tokens.issue(query.corpid, query.corpsecret);
      return { access_token: token, expires_in: expiresIn };
    },
    getcallbackip: () => ({ ip_list: settings.callbackAddresses }),
    'user/get': ({ query }) => userGet(members, query.userid),
    'message/send': (call) => sendMessage(readJson(call.body)),
    'message/recall': (call) => void recall(readJson(call.body).msgid),
    'message/update_template_card': (call) => updateCard(readJson(call.body)),
    'appchat/send': (call) => void groups.toChat(readJson(call.body)),
    'media/upload': (call) => upload(uploads, call, null),
    'webhook/send': (call) => void groups.byRobot(groups.robotOf(call.query.key), readJson(call.body)),
    'webhook/upload_media': (call) => upload(uploads, call, groups.robotOf(call.query.key)),
  };

  const checkCaller = ({ query, address }: ApiCall): void => {
    tokens.check(query.access_token);
    if (settings.trustedEgress?.includes(address) === false) throw new ApiError(60020);
  };

  const perform = async (call: ApiCall): Promise<object | undefined> => {
    const { name } = call;
    if (!uncounted.has(name) && !basic.allows(isApiName(name) ? name : 'others')) throw new ApiError(45009);
    if (!open.has(name)) checkCaller(call);
    // What WeCom says to a path that it has not is not documented, only that it answers with an errcode (§4). For the many
    // that it has and this has not, 48002 is what an app hears that may not use them.
    if (!isApiName(name)) throw new ApiError(48002, `${name} is not simulated here`);
    // The others are documented with GET; what a POST of them is answered is not, and it is taken.
    if (posted.has(name) && call.method !== 'POST') throw new ApiError(40058, 'POST is needed');
    return apis[name](call);
  };

  return async (call) => {
    try {
      return { errcode: 0, errmsg: 'ok', ...(await perform(call)) };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      const { errcode, message } = error;
      // Words that change, the address that WeCom saw, and where to read more (§4): nobody may decide by them.
      const hint = `hint: [${Math.floor(clock() / 1000)}_${errcode}], from ip: ${call.address}`;
      const more = `more info at https://open.work.weixin.qq.com/devtool/query?e=${errcode}`;
      return { errcode, errmsg: `${message}, ${hint}, ${more}` };
    }
  };
}
