import type { Member } from '../wecom/api/api.ts';
import { signRequest } from './apps/signature.ts';
import type { Content } from './content/content.ts';
import type { Variables } from './content/message.ts';
import type { AccountView } from './http/accounts.ts';
import type { MessageView } from './messages/message-view.ts';

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
  | Content
  /** A picture at a public address. */
  | { readonly imageUrl: string }
  /** A picture that was handed in before. */
  | { readonly image: { readonly sha256: string } }
  | { readonly template: { readonly key: string; readonly variables?: Variables } };

/** One message for message delivery; docs/push.md describes every field. */
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

/** A message as it stands, with each receiver. */
export type PushedMessage = Pick<MessageView, 'id' | 'state' | 'opaque' | 'receivers'>;

/** How an account fares. A paused one sends nothing until somebody has done what `advice` says. */
export type AccountState = Readonly<AccountView>;

/** A member as WeCom knows it. */
export type DirectoryUser = Readonly<Member>;

/** Message delivery said no, or nothing (`status` 0). `message` is its sentence; `errcode` is WeCom's, if it was WeCom. */
export class PushError extends Error {
  override readonly name = 'PushError';
  readonly status: number;
  readonly errcode: number | string | undefined;

  constructor(status: number, message: string, options?: { errcode?: number | string; cause?: unknown }) {
    super(message, { cause: options?.cause });
    this.status = status;
    this.errcode = options?.errcode;
  }
}

/** Hands messages to message delivery. Every method throws a {@link PushError}. */
export interface PushClient {
  /** Resolves when the message is taken down. */
  push(message: PushMessage): Promise<Pushed>;
  /** Resolves when WeCom has answered; after half a minute without answer to a state that is not `sent`. */
  send(message: PushMessage): Promise<Sent>;
  message(id: string): Promise<PushedMessage>;
  /** The accounts that this app may use, and whether WeCom refuses one of them. */
  accounts(): Promise<readonly AccountState[]>;
  /** One member of an account's enterprise, of the default account's without; needs the scope `directory`. */
  user(userid: string, account?: string): Promise<DirectoryUser>;
  /** The networks that WeCom's callbacks for an account come from, as CIDRs; needs the scope `directory`. */
  callbackRanges(account?: string): Promise<readonly string[]>;
}

export interface PushClientParts {
  /** Such as `http://push.internal:8083`. */
  readonly url: string;
  readonly app: string;
  readonly key: string;
  /** Unix ms. */
  readonly now: () => number;
  /** 8 to 64 letters, digits and `_-`, new each time, such as a UUID. */
  readonly newNonce: () => string;
  readonly fetch?: typeof fetch;
}

interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: unknown;
  readonly timeoutMs: number;
  /** Repeating it changes nothing. */
  readonly canRepeat: boolean;
}

const TIMEOUT_MS = 10_000;
/** Message delivery waits 30 s for WeCom. */
const SEND_TIMEOUT_MS = 40_000;

/** Makes a client; connections are kept alive by `fetch`. */
export function createPushClient(parts: PushClientParts): PushClient {
  const get = <T>(path: string) =>
    ask<T>(parts, { method: 'GET', path, timeoutMs: TIMEOUT_MS, canRepeat: true });
  const post = <T>(message: PushMessage, wait: boolean) =>
    ask<T>(parts, {
      method: 'POST',
      path: '/v1/messages',
      body: { ...message, wait },
      timeoutMs: wait ? SEND_TIMEOUT_MS : TIMEOUT_MS,
      canRepeat: message.idempotencyKey !== undefined,
    });
  return {
    push: (message) => post<Pushed>(message, false),
    send: (message) => post<Sent>(message, true),
    message: (id) => get(`/v1/messages/${encodeURIComponent(id)}`),
    accounts: async () => (await get<{ accounts: readonly AccountState[] }>('/v1/accounts')).accounts,
    user: (userid, account) => get(`/v1/directory/users/${encodeURIComponent(userid)}${queryOf(account)}`),
    callbackRanges: async (account) =>
      (await get<{ ranges: readonly string[] }>(`/v1/directory/callback-ranges${queryOf(account)}`)).ranges,
  };
}

/** The default account is not named, as before there were several. */
function queryOf(account: string | undefined): string {
  return account === undefined ? '' : `?account=${encodeURIComponent(account)}`;
}

async function ask<T>(parts: PushClientParts, call: Call): Promise<T> {
  const first = await exchange(parts, call).catch((error: unknown) => ({ error }));
  const answer =
    'error' in first ? await (call.canRepeat ? exchange(parts, call) : Promise.reject(first.error)) : first;
  if (answer.status < 300) return answer.body as T;
  const { error, errcode } = answer.body;
  throw new PushError(answer.status, typeof error === 'string' ? error : `HTTP ${answer.status}`, {
    ...((typeof errcode === 'number' || typeof errcode === 'string') && { errcode }),
  });
}

interface Exchanged {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Asks once, with a signature of its own; throws a PushError when no usable answer comes. */
async function exchange(parts: PushClientParts, { method, path, body, timeoutMs }: Call): Promise<Exchanged> {
  const url = new URL(path, parts.url);
  const text = body === undefined ? undefined : JSON.stringify(body);
  const unsigned = { method, target: url.pathname + url.search, now: parts.now(), nonce: parts.newNonce() };
  try {
    const response = await (parts.fetch ?? fetch)(url, {
      method,
      headers: {
        ...signRequest(parts, { ...unsigned, ...(text !== undefined && { body: text }) }),
        ...(text !== undefined && { 'content-type': 'application/json' }),
      },
      ...(text !== undefined && { body: text }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { status: response.status, body: (await response.json()) as Exchanged['body'] };
  } catch (cause) {
    throw new PushError(0, 'Message delivery gave no usable answer.', { cause });
  }
}
