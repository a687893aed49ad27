import { createHash } from 'node:crypto';
import type { Incoming } from '../channels/channel.ts';
import { DEFAULT_ACCOUNT } from '../contract/principal.ts';
import { isRefused, type PushClient, PushError } from '../push/client.ts';

/**
 * What message delivery made of a call: took it; `answered` what it is about, be it that WeCom knows no such member or that
 * it is no message; `refused` this bot, for its key, its rights, its rate or its account; or gave no answer (`down`).
 */
const RESULTS = ['ok', 'answered', 'refused', 'down'] as const;
type CallResult = (typeof RESULTS)[number];

/** Every call by its name, with every result. */
export const notifierCalls = (['push', 'user', 'callback-ranges'] as const).flatMap((what) =>
  RESULTS.map((result) => [what, result] as const),
);

interface NotifierParts {
  readonly account: string;
  readonly client: Pick<PushClient, 'push' | 'user' | 'callbackRanges'>;
  /** Unix ms. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  onCall(what: string, result: CallResult, seconds: number): void;
  /** Message delivery did not take a message, and is asked again. */
  onAway(error: unknown): void;
  /** Once it is aborted nothing is tried again. */
  readonly stopping: AbortSignal;
}

const AGAIN_MS = 2000;
const TRIES = 30;

/** What one account asks of message delivery. */
export type Notifier = ReturnType<typeof createNotifier>;

/**
 * Opens what the bot asks of message delivery for one account; the bot itself never speaks to WeCom. Rejects with a
 * {@link PushError}. Everything the bot says goes in the lane of alerts: somebody stands there and waits.
 */
export function createNotifier(parts: NotifierParts) {
  const { client, now, sleep, onCall, onAway, stopping } = parts;
  // The default account needs no name, so that an older message delivery understands what is asked for it.
  const account = parts.account === DEFAULT_ACCOUNT ? undefined : parts.account;
  const counted = <T>(what: string, ask: Promise<T>): Promise<T> => {
    const began = now();
    const done = (result: CallResult) => onCall(what, result, (now() - began) / 1000);
    ask.then(
      () => done('ok'),
      (error: unknown) => done(resultOf(error)),
    );
    return ask;
  };
  /** Tells somebody something, once for each id, however often it is asked to; what was taken down counts as told. */
  const tell = async (user: string, text: string, idempotencyKey: string): Promise<void> => {
    const message = {
      to: { users: [user] },
      text,
      priority: 'alert' as const,
      idempotencyKey,
      ...(account !== undefined && { account }),
    };
    await counted('push', client.push(message)).catch((error: unknown) => {
      // The same was told in other words: an outcome alone, or within the answer to its message.
      if (!(error instanceof PushError && error.status === 409)) throw error;
    });
  };
  return {
    tell,
    /**
     * Tells what comes after the reply to a message, once for each message and text; tried again for a minute unless it
     * is refused for good, since nobody else will tell it.
     */
    async tellLate({ user, msgId }: Pick<Incoming, 'user' | 'msgId'>, text: string): Promise<void> {
      // The id of a message is one among those of its user only (protocol §2.5).
      const named = [account ?? '', user, msgId, text].join('\n');
      const id = `late-${createHash('sha256').update(named).digest('hex')}`;
      for (let tries = 1; ; tries += 1) {
        try {
          return await tell(user, text, id);
        } catch (error) {
          if (stopping.aborted || tries >= TRIES || isRefused(error)) throw error;
          onAway(error);
          await sleep(AGAIN_MS);
        }
      }
    },
    /** The departments of a member. */
    departments: async (user: string): Promise<readonly number[]> =>
      (await counted('user', client.user(user, account))).departments,
    /** The networks that WeCom's callbacks come from, as CIDRs. */
    callbackRanges: () => counted('callback-ranges', client.callbackRanges(account)),
  };
}

/** An errcode is WeCom's word; 400, 409 and 413 are about this one message or member. */
function resultOf(error: unknown): CallResult {
  if (!(error instanceof PushError) || error.status === 0) return 'down';
  if (error.errcode !== undefined || [400, 409, 413].includes(error.status)) return 'answered';
  return error.status >= 500 ? 'down' : 'refused';
}
