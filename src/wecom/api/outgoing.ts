/** What a messenger reports of every call, for the metrics. */
export type { ApiCall as SentCall } from './call.ts';

/** One message as WeCom takes it: `msgtype`, and the object of the same name (§4.2, §4.5, §5). */
export interface Outgoing {
  readonly msgtype: 'text' | 'markdown' | 'textcard' | 'image' | 'file' | 'news' | 'template_card';
  readonly body: Readonly<Record<string, unknown>>;
}

/** Receivers of one message/send: at most 1000 users, 100 parties and 100 tags (§4.2). */
export interface Audience {
  readonly users?: readonly string[];
  readonly parties?: readonly string[];
  readonly tags?: readonly string[];
}

/** What WeCom says of a message it took: whom it did not reach, userids in lower case (§4.2). */
export interface Receipt {
  readonly msgid: string;
  readonly invalid: Required<Audience>;
  /** Members whom the app may see but who lack the licence that it needs. */
  readonly unlicensed: readonly string[];
}

/**
 * What message delivery calls. Every method calls WeCom once, and once more with a fresh token when the token
 * was refused; the caller decides about any other retry. Each throws {@link WeComError}, whose `errcode` is WeCom's or
 * `unsent` / `lost`.
 */
export interface Messenger {
  /** message/send (§4.2). With `onceWithinSeconds` WeCom drops a message that equals one sent within that time. */
  send(message: Outgoing, to: Audience, options?: { readonly onceWithinSeconds?: number }): Promise<Receipt>;
  /** appchat/send (§4.5); WeCom gives no msgid. */
  sendToChat(chatid: string, message: Outgoing): Promise<void>;
  /** webhook/send (§5), by the key of the robot, which appears in no error and no log. */
  sendToRobot(key: string, message: Outgoing): Promise<void>;
  /** message/recall (§4.4). */
  recall(msgid: string): Promise<void>;
  /** media/upload (§4.6); `expiresAt` in Unix ms, three days from now. */
  upload(kind: 'image' | 'file', name: string, bytes: Uint8Array): Promise<UploadedMedia>;
  /** webhook/upload_media (§5), usable by this robot only. */
  uploadForRobot(key: string, name: string, bytes: Uint8Array): Promise<UploadedMedia>;
}

export interface UploadedMedia {
  readonly mediaId: string;
  readonly expiresAt: number;
}
