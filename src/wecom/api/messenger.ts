import type { AccessTokens } from './access-token.ts';
import { type AppOptions, callOptions, createAppTokens, withToken } from './app-tokens.ts';
import { type ApiAnswer, type ApiRequest, callApi, reasonOf } from './call.ts';
import { mediaForm, readUploaded } from './media-form.ts';
import type { Audience, Messenger, Outgoing } from './outgoing.ts';
import { readReceipt } from './receipt.ts';
import { WeComError } from './wecom-error.ts';

/** The longest time in which WeCom recognises a repeat, in seconds (§4.2). */
const MOST_CHECKED_SECONDS = 14_400;
/** How long an upload may take in ms: 20 MB over a slow network. */
const UPLOAD_MS = 60_000;

/** Makes the messenger of one app. A token that cannot be had is never `lost`: no message has left then. */
export function createMessenger(options: AppOptions): Messenger {
  const { agentId, now = Date.now } = options;
  const how = callOptions(options);
  const forUploads = { ...how, timeoutMs: Math.max(how.timeoutMs, UPLOAD_MS) };
  const tokens = withoutLoss(createAppTokens(options));

  const call = (request: ApiRequest, over = how): Promise<ApiAnswer> => {
    const start = now();
    return withToken(tokens, async (token) => {
      // A process that stood still while it waited for the token: somebody else may have sent this and what follows it.
      if (now() - start > over.timeoutMs) throw new WeComError(request.api, 'unsent', 'the token came late');
      return callApi(over, { ...request, query: { ...request.query, access_token: token } });
    });
  };
  const callRobot = (api: string, key: string, message: Outgoing) =>
    callApi(how, { api, query: { key }, body: bodyOf(message) });

  return {
    send: async (message, to, { onceWithinSeconds } = {}) => {
      const body = {
        ...receiversOf(to),
        agentid: agentId,
        ...bodyOf(message),
        ...onceWithin(onceWithinSeconds),
      };
      return readReceipt(await call({ api: 'message/send', query: {}, body }));
    },
    sendToChat: async (chatid, message) =>
      void (await call({ api: 'appchat/send', query: {}, body: { chatid, ...bodyOf(message) } })),
    sendToRobot: async (key, message) => void (await callRobot('webhook/send', key, message)),
    recall: async (msgid) => void (await call({ api: 'message/recall', query: {}, body: { msgid } })),
    upload: async (kind, name, bytes) => {
      const [api, start] = ['media/upload', now()];
      const answer = await call({ api, query: { type: kind }, form: mediaForm(name, bytes) }, forUploads);
      return readUploaded(api, answer, start);
    },
    uploadForRobot: async (key, name, bytes) => {
      const [api, start] = ['webhook/upload_media', now()];
      const request = { api, query: { key, type: 'file' }, form: mediaForm(name, bytes) };
      return readUploaded(api, await callApi(forUploads, request), start);
    },
  };
}

function bodyOf({ msgtype, body }: Outgoing): Readonly<Record<string, unknown>> {
  return { msgtype, [msgtype]: body };
}

function receiversOf({ users = [], parties = [], tags = [] }: Audience): Readonly<Record<string, string>> {
  const lists = { touser: users, toparty: parties, totag: tags };
  const named = Object.entries(lists).filter(([, names]) => names.length > 0);
  return Object.fromEntries(named.map(([field, names]) => [field, names.join('|')]));
}

function onceWithin(seconds: number | undefined): Readonly<Record<string, number>> {
  if (seconds === undefined) return {};
  return {
    enable_duplicate_check: 1,
    duplicate_check_interval: Math.min(Math.max(Math.ceil(seconds), 1), MOST_CHECKED_SECONDS),
  };
}

/** The same tokens; every failure to get one is `unsent`, since no message has left, whatever failed: WeCom or the store. */
function withoutLoss(tokens: AccessTokens): AccessTokens {
  const fail = (error: unknown): never => {
    if (error instanceof WeComError && error.errcode !== 'lost') throw error;
    const reason = error instanceof WeComError ? 'gettoken was not answered' : reasonOf(error);
    throw new WeComError('gettoken', 'unsent', `no access token: ${reason}`);
  };
  return {
    get: () => tokens.get().catch(fail),
    drop: (token) => tokens.drop(token).catch(fail),
  };
}
