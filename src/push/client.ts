import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { createHttpClient, type SendHttp } from '../server/http-client.ts';
import type { Member } from '../wecom/api/api.ts';
import { signRequest } from './apps/signature.ts';
import type { AccountView } from './http/accounts.ts';
import type { acceptedSchema, sentSchema } from './messages/accept-message.ts';
import type { GivenMessage } from './messages/message-schema.ts';
import type { MessageView } from './messages/message-view.ts';

/**
 * One message for message delivery, with exactly one content; docs/push.md describes every field. With an idempotency
 * key a request whose connection fails is repeated.
 */
export type PushMessage = Omit<GivenMessage, 'wait'>;

/** A message that was taken down; it will be delivered. */
export type Pushed = z.infer<typeof acceptedSchema>;

/** What WeCom answered, or `queued` with a note when it has not within half a minute. */
export type Sent = Pushed | z.infer<typeof sentSchema>;

/** Message delivery said no, or nothing (`status` 0). `message` is its sentence; `errcode` is WeCom's, if it was WeCom. */
export class PushError extends Error {
  override readonly name = 'PushError';
  readonly status: number;
  readonly errcode: number | string | undefined;

  constructor(status: number, message: string, options?: { errcode?: unknown; cause?: unknown }) {
    super(message, { cause: options?.cause });
    this.status = status;
    this.errcode = options?.errcode as PushError['errcode'];
  }
}

export interface PushClientParts {
  /** Such as `https://push.internal:8083`, or of a gateway with a path, `https://gateway/keypad`; no slash at its end. */
  readonly url: string;
  readonly app: string;
  readonly key: string;
  /** A client of its own when left out. */
  readonly send?: SendHttp;
}

/**
 * Whether message delivery will never take this message. What it says of anything else (the key and rights of the app, its
 * rate, an account or a route that is not there) is no fault of the message: that is mended, and until then it waits.
 */
export function isRefused(error: unknown): boolean {
  return error instanceof PushError && (error.status === 400 || error.status === 413);
}

const TIMEOUT_MS = 10_000;
/** Message delivery waits 30 s for WeCom. */
const SEND_TIMEOUT_MS = 40_000;
/** More than any message with all of its receivers. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Hands messages to message delivery. Every method throws a {@link PushError}. */
export type PushClient = ReturnType<typeof createPushClient>;

/** Makes a client, which keeps its connections alive. */
export function createPushClient({ send = createHttpClient().send, ...app }: PushClientParts) {
  const parts = { ...app, send };
  const get = <T>(path: string): Promise<T> => ask(parts, path);
  const post = <T>(message: GivenMessage): Promise<T> => ask(parts, '/v1/messages', message);
  return {
    /** Resolves when the message is taken down. */
    push: (message: PushMessage) => post<Pushed>({ ...message, wait: false }),
    /** Resolves when WeCom has answered; after half a minute without answer to a state that is not `sent`. */
    send: (message: PushMessage) => post<Sent>({ ...message, wait: true }),
    /** A message as it stands, with each receiver. */
    message: (id: string) => get<MessageView>(`/v1/messages/${encodeURIComponent(id)}`),
    /** The accounts that this app may use, and whether WeCom refuses one of them. */
    accounts: async () => (await get<{ accounts: readonly AccountView[] }>('/v1/accounts')).accounts,
    /** One member of an account's enterprise, of the default account's without; needs the scope `directory`. */
    user: (userid: string, account?: string) =>
      get<Member>(`/v1/directory/users/${encodeURIComponent(userid)}${queryOf(account)}`),
    /** The networks that WeCom's callbacks for an account come from, as CIDRs; needs the scope `directory`. */
    callbackRanges: async (account?: string) =>
      (await get<{ ranges: readonly string[] }>(`/v1/directory/callback-ranges${queryOf(account)}`)).ranges,
  };
}

/** The default account is not named, as before there were several. */
function queryOf(account: string | undefined): string {
  return account === undefined ? '' : `?account=${encodeURIComponent(account)}`;
}

/** Hands a message in, or without one asks for something, which can be repeated. */
async function ask<T>(parts: Required<PushClientParts>, path: string, message?: GivenMessage): Promise<T> {
  const { status, body } = await exchange(parts, path, message).catch((error: unknown) => {
    if (message !== undefined && message.idempotencyKey === undefined) throw error;
    return exchange(parts, path, message);
  });
  if (status < 300) return body as T;
  const { error = `HTTP ${status}`, errcode } = body;
  throw new PushError(status, `${error}`, { errcode });
}

/** Asks once, with a signature of its own; throws a PushError when no usable answer comes. */
async function exchange(parts: Required<PushClientParts>, path: string, message: GivenMessage | undefined) {
  const url = new URL(`${parts.url}${path}`);
  const said = message === undefined ? {} : { body: JSON.stringify(message) };
  const request = { method: message === undefined ? 'GET' : 'POST', ...said } as const;
  // A gateway takes its own part of the path off: what arrives is signed.
  const signed = signRequest(parts, { ...request, target: path, now: Date.now(), nonce: randomUUID() });
  try {
    const { status, text } = await parts.send({
      ...request,
      url,
      headers: { ...signed, 'content-type': 'application/json' },
      timeoutMs: message?.wait ? SEND_TIMEOUT_MS : TIMEOUT_MS,
      maxBytes: MAX_BYTES,
    });
    return { status, body: JSON.parse(text) as Readonly<Record<string, unknown>> };
  } catch (cause) {
    throw new PushError(0, 'Message delivery gave no usable answer.', { cause });
  }
}
