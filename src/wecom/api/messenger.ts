import { normalizeUserId } from '../userid.ts';
import type { App } from './app.ts';
import type { ApiAnswer } from './call.ts';
import { mediaForm, readUploaded, type UploadedMedia } from './media-form.ts';
import type { Audience, Outgoing } from './outgoing.ts';

/** What message delivery calls. */
export type Messenger = ReturnType<typeof createMessenger>;

/** The longest time in which WeCom recognises a repeat, in seconds (§4.2). */
const MOST_CHECKED_SECONDS = 14_400;

/**
 * Makes the messenger of one app. Every method calls WeCom once, and once more with a fresh token when the token was
 * refused; the caller decides about any other retry. Each throws a WeComError, whose `errcode` is WeCom's or `unsent` / `lost`.
 */
export function createMessenger({ agentId, now, call, callWithToken }: App) {
  return {
    /** message/send (§4.2). With `onceWithinSeconds` WeCom drops a message that equals one sent within that time. */
    async send(
      message: Outgoing,
      to: Audience,
      options: { readonly onceWithinSeconds?: number } = {},
    ): Promise<Receipt> {
      const once = onceWithin(options.onceWithinSeconds);
      const body = { ...receiversOf(to), agentid: agentId, ...bodyOf(message), ...once };
      return readReceipt(await callWithToken({ api: 'message/send', query: {}, body }));
    },
    /** appchat/send (§4.5); WeCom gives no msgid. */
    async sendToChat(chatid: string, message: Outgoing): Promise<void> {
      await callWithToken({ api: 'appchat/send', query: {}, body: { chatid, ...bodyOf(message) } });
    },
    /** webhook/send (§5), by the key of the robot, which appears in no error and no log. */
    async sendToRobot(key: string, message: Outgoing): Promise<void> {
      await call({ api: 'webhook/send', query: { key }, body: bodyOf(message) });
    },
    /** message/recall (§4.4). */
    async recall(msgid: string): Promise<void> {
      await callWithToken({ api: 'message/recall', query: {}, body: { msgid } });
    },
    /** media/upload (§4.6). */
    async upload(kind: 'image' | 'file', name: string, bytes: Uint8Array): Promise<UploadedMedia> {
      const [api, start] = ['media/upload', now()];
      const answer = await callWithToken({ api, query: { type: kind }, form: mediaForm(name, bytes) });
      return readUploaded(api, answer, start);
    },
    /** webhook/upload_media (§5), usable by this robot only. */
    async uploadForRobot(key: string, name: string, bytes: Uint8Array): Promise<UploadedMedia> {
      const [api, start] = ['webhook/upload_media', now()];
      const answer = await call({ api, query: { key, type: 'file' }, form: mediaForm(name, bytes) });
      return readUploaded(api, answer, start);
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

/** What WeCom says of a message it took. */
export type Receipt = ReturnType<typeof readReceipt>;

/** Reads whom an accepted message/send did not reach (§4.2), userids in lower case: lists joined with `|`; one that is missing is empty. */
function readReceipt(answer: ApiAnswer) {
  return {
    msgid: `${answer.msgid ?? ''}`,
    invalid: {
      users: readList(answer.invaliduser).map(normalizeUserId),
      parties: readList(answer.invalidparty),
      tags: readList(answer.invalidtag),
    },
    /** Members whom the app may see but who lack the licence that it needs. */
    unlicensed: readList(answer.unlicenseduser).map(normalizeUserId),
  };
}

function readList(joined: unknown): readonly string[] {
  return typeof joined === 'string' ? joined.split('|').filter((name) => name !== '') : [];
}
