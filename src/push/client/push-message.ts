/** Whom a message goes to; at least one. */
export interface To {
  /** Userids, or `@all` alone. */
  readonly users?: readonly string[];
  readonly departments?: readonly (number | string)[];
  readonly tags?: readonly (number | string)[];
  readonly chats?: readonly string[];
  /** Names of group robots. */
  readonly robots?: readonly string[];
}

/** What a message says: exactly one of these. */
export type Says =
  | { readonly text: string; readonly mentioned?: readonly string[] }
  | { readonly markdown: string; readonly plainTextFor?: 'all' | readonly string[] }
  | { readonly textcard: { title: string; description: string; url: string; btntxt?: string } }
  /** A picture at a public address. */
  | { readonly imageUrl: string }
  | { readonly image: { readonly sha256: string; readonly name?: string } }
  | { readonly file: { readonly sha256: string; readonly name: string } }
  | { readonly news: { readonly articles: readonly Readonly<Record<string, string>>[] } }
  | { readonly templateCard: Readonly<Record<string, unknown>> }
  | {
      readonly template: {
        readonly key: string;
        readonly variables?: Readonly<Record<string, string>>;
      };
    };

/** One message for message delivery; docs/push.md tells every field. */
export type PushMessage = Says & {
  readonly to: To;
  /** The account that sends it; absent: the app of the `WECOM_*` variables. Any other needs the scope `account:NAME`. */
  readonly account?: string;
  /** The same key gives the same message, however often it is sent; with it a request whose connection fails is repeated. */
  readonly idempotencyKey?: string;
  readonly opaque?: string | number;
  readonly priority?: 'alert' | 'normal' | 'bulk';
  /** ISO time, or Unix seconds. */
  readonly sendAt?: string | number;
  readonly callbackUrl?: string;
};

/** A message that was taken down; it will be delivered. */
export interface Pushed {
  readonly id: string;
  readonly state: string;
  readonly opaque?: string | number;
}

/** What WeCom answered, or `queued` / `sending` when it has not within half a minute. */
export interface Sent extends Pushed {
  readonly msgid?: string;
  readonly msgids?: readonly string[];
  readonly invaliduser?: readonly string[];
  readonly invalidparty?: readonly string[];
  readonly invalidtag?: readonly string[];
  /** Chats and robots that it did not reach. */
  readonly failed?: readonly string[];
}

/** A message as it stands. */
export interface PushedMessage extends Pushed {
  readonly receivers: readonly {
    readonly receiver: string;
    readonly state: string;
    readonly errcode?: number | string;
    readonly problem?: string;
    readonly maybeTwice: boolean;
  }[];
}

/** A member as WeCom knows it. */
export interface DirectoryUser {
  readonly userid: string;
  readonly name: string;
  readonly departments: readonly number[];
}

/** How an account fares. A paused one sends nothing until somebody has done what `advice` says. */
export interface AccountState {
  readonly account: string;
  readonly state: 'active' | 'paused' | 'removed';
  /** Deliveries that wait. */
  readonly queued: number;
  readonly since?: string;
  readonly errcode?: number | string;
  readonly advice?: string;
  readonly nextProbeAt?: string;
}
