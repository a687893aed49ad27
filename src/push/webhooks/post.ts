import { NoAnswer } from '../../errors.ts';
import type { SendHttp } from '../../server/http-client.ts';
import type { Keys } from '../apps/keys.ts';
import { signRequest } from '../apps/signature.ts';
import type { Database } from '../database/database.ts';
import { readOutcome } from './outcome-store.ts';
import type { Callback, Verdict } from './webhook-store.ts';

/** What telling needs. */
export interface TellParts {
  readonly db: Database;
  readonly keys: Pick<Keys, 'find' | 'newestKey'>;
  readonly send: SendHttp;
  /** Unix ms. */
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly newId: () => string;
}

/** How long an answer may take; slow hosts hold up nobody for longer. */
const ANSWER_MS = 5000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 900_000;
const GIVEN_UP_AFTER_MS = 86_400_000;

/** Tries once to tell what became of a message. Throws only what is our own trouble. */
export async function tell(parts: TellParts, callback: Callback): Promise<Verdict> {
  const { db, keys, now } = parts;
  const found = await readOutcome(db, callback.messageId);
  if (found === null) return { state: 'void', error: 'there is nothing to post: it is open again, or gone' };
  const { url, outcome } = found;
  // The list may have changed since the message came.
  const app = await keys.find(callback.app);
  if (!app?.callbackHosts.includes(url.hostname) || url.username !== '' || url.password !== '') {
    return { state: 'refused', error: `the host is not on the list of the app "${callback.app}"` };
  }
  const key = await keys.newestKey(callback.app);
  if (key === undefined) return again(parts, callback, `the app "${callback.app}" has no key to sign with`);
  const body = JSON.stringify(outcome);
  const target = `${url.pathname}${url.search}`;
  const signed = { method: 'POST', target, body, now: now(), nonce: parts.newId() };
  const problem = await post(parts.send, url, {
    body,
    headers: { 'content-type': 'application/json', ...signRequest({ app: callback.app, key }, signed) },
  });
  return problem === undefined ? { state: 'told' } : again(parts, callback, problem);
}

/** 0.5 s, 1 s, 2 s … up to 15 min, each up to a fifth longer so that not all come at once; for a day. */
function again({ now, random }: TellParts, { tries, notedAt }: Callback, error: string): Verdict {
  const wait = Math.min(FIRST_WAIT_MS * 2 ** Math.min(tries - 1, 20), LONGEST_WAIT_MS);
  const dueAt = now() + Math.round(wait * (1 + random() / 5));
  return dueAt > notedAt + GIVEN_UP_AFTER_MS ? { state: 'lost', error } : { state: 'open', dueAt, error };
}

/** Undefined when the other side has taken it (2xx), otherwise what was wrong, without any word of the other side. */
async function post(
  send: SendHttp,
  url: URL,
  request: { readonly body: string; readonly headers: Readonly<Record<string, string>> },
): Promise<string | undefined> {
  try {
    // A redirect is not followed: it could lead to a host that is not on the list.
    const { status } = await send({ method: 'POST', url, timeoutMs: ANSWER_MS, maxBytes: 0, ...request });
    return status >= 200 && status < 300 ? undefined : `HTTP ${status}`;
  } catch (error) {
    return error instanceof NoAnswer ? error.message : 'no answer';
  }
}
