/**
 * A road by which people write to Keypad and read its answers: one account of one transport, with what that transport
 * can carry. Chat and menu know of a transport what stands here, and nothing else.
 */
export interface Channel {
  /** The transport, e.g. `wecom-callback`. Together with account and user it says who somebody is (principal.ts). */
  readonly name: string;
  readonly account: string;
  /** Keeps the names of its users in Redis apart from those of other channels: `keypad:{<scope>:<user>}:…`. */
  readonly scope: string;
  /** How many bytes of UTF-8 one reply may have. */
  readonly replyBytes: number;
  /** How many bytes a text may have that is sent after the reply. */
  readonly lateBytes: number;
  /** How long a reply may take, in milliseconds; what takes longer is sent after it. */
  readonly replyMs: number;
  /** How far the time of a message may be from now, in milliseconds, for it to have an effect; 4 minutes at most. */
  readonly freshMs: number;
  /** Sends what comes after the reply to a message, once for each message and text. Rejects when it cannot be sent. */
  tellLate(message: Pick<Incoming, 'user' | 'msgId'>, text: string): Promise<void>;
  /** Sends a text, once for each id, however often it is asked to. Rejects when it cannot be sent. */
  tell(user: string, text: string, id: string): Promise<void>;
  /** The departments of a user, which the policy may speak of; none where a channel has no such thing. */
  departments(user: string): Promise<readonly number[]>;
}

/** One message of a user. */
export interface Incoming {
  readonly channel: Channel;
  /** In the form in which the channel compares its users. */
  readonly user: string;
  /** The same for each delivery of one message, and for no other message of this user. */
  readonly msgId: string;
  /** Unix seconds, as the transport stamps it. */
  readonly createdAt: number;
  /** Absent for what is not text. */
  readonly text?: string | undefined;
  /** Names this message in every log line; its first eight characters are the number a user is told. */
  readonly trace: string;
}

/** What a user reads. `receipts` are the ids of the operations whose outcome the text tells: nobody else has to tell it. */
export interface Reply {
  readonly text: string;
  readonly receipts: readonly string[];
  /** The answer to the message is another text, which follows. */
  readonly isPromise?: true;
}
