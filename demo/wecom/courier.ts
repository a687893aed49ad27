import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock, WeComApp } from './app.ts';
import { type Sealed, sealCallback, sealEcho } from './seal.ts';

/** How patiently one callback is delivered, in milliseconds; the defaults are WeCom's (protocol §2.5). */
export interface Pace {
  /** How long one attempt may take before the connection is cut. */
  readonly attemptMs?: number;
  /** How many attempts in all, the first one included. */
  readonly attempts?: number;
  /** The pause before a retry; WeCom's own is not documented. */
  readonly retryGapMs?: number;
}

/** What became of one callback. `status` is the last HTTP status, 0 when there was none; `problem` is why it failed. */
export interface Delivered {
  readonly status: number;
  readonly body: string;
  readonly attempts: number;
  readonly problem?: string;
}

/** Carries callbacks to the app, to each of its URLs in turn. */
export interface Courier {
  setUrls(urls: readonly string[]): void;
  /** Posts one callback and tries again, sealed anew, until the answer is 200 or the attempts are used up. Never throws. */
  post(plaintext: string, pace: Pace): Promise<Delivered>;
  /**
   * Checks the next URL as the console does when the form is saved: GET, answered within 1 s with the echo and nothing
   * else (protocol §1.2). Answers the problem, or undefined when the URL passes.
   */
  verify(): Promise<string | undefined>;
}

/** How long the answer to a check of a URL may take. */
const VERIFY_MS = 1000;

/** Makes a courier; `signal` ends whatever is under way. */
export function createCourier(options: {
  readonly app: WeComApp;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Courier {
  const { app, clock, signal } = options;
  let urls: readonly string[] = [];
  let turn = 0;

  const attempt = async (
    sealed: Partial<Sealed>,
    attemptMs: number,
  ): Promise<Omit<Delivered, 'attempts'>> => {
    const url = urls[turn++ % urls.length];
    if (url === undefined) return { status: 0, body: '', problem: 'no callback URL is set' };
    try {
      const response = await fetch(`${url}?${sealed.query}`, {
        method: sealed.body === undefined ? 'GET' : 'POST',
        body: sealed.body ?? null,
        // A connection for each attempt: one left open by a bot that has gone would look like a failed attempt.
        headers: { 'content-type': 'text/xml', connection: 'close' },
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(attemptMs)]),
      });
      const body = await response.text();
      if (response.status === 200) return { status: 200, body };
      return { status: response.status, body, problem: `the bot answered HTTP ${response.status}` };
    } catch (error) {
      return { status: 0, body: '', problem: reasonOf(error, attemptMs) };
    }
  };

  return {
    setUrls: (next) => {
      urls = [...next];
    },
    verify: async () => {
      const echo = `${randomBytes(8).readBigUInt64BE()}`;
      const query = sealEcho(app, echo, Math.floor(clock() / 1000));
      const { body, problem } = await attempt({ query }, VERIFY_MS);
      return problem ?? (body === echo ? undefined : 'the answer is not the decrypted echostr');
    },
    post: async (plaintext, { attemptMs = 5000, attempts = 4, retryGapMs = 100 }) => {
      for (let count = 1; ; count += 1) {
        const sealed = sealCallback(app, plaintext, Math.floor(clock() / 1000));
        const result = await attempt(sealed, attemptMs);
        if (result.problem === undefined || count >= attempts || signal.aborted) {
          return { ...result, attempts: count };
        }
        await sleep(retryGapMs, undefined, { signal }).catch(() => {});
      }
    },
  };
}

function reasonOf(error: unknown, attemptMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError')
    return `the bot did not answer in ${attemptMs} ms`;
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return `the bot cannot be reached: ${(cause as NodeJS.ErrnoException).code ?? String(cause)}`;
}
