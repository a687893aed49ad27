import { WeComError } from './wecom-error.ts';

/** A token and how long it may still be used, in ms; that ends well before WeCom drops it. */
export interface AccessToken {
  readonly token: string;
  readonly lifeMs: number;
}

/** Where the replicas share the token of one app. It counts the time that passes; the clocks of replicas differ. */
export interface TokenStore {
  /** Null when there is none, or its life is over. */
  read(): Promise<AccessToken | null>;
  write(token: AccessToken): Promise<void>;
  /** Forgets the token, but only if it is still this one. */
  drop(token: string): Promise<void>;
  /** Takes the lock of whoever refreshes, for at most `ms`; resolves to what releases it, or to null when another holds it. */
  lock(ms: number): Promise<(() => Promise<void>) | null>;
}

/** What the cache is made of. */
interface AccessTokensParts {
  readonly store: TokenStore;
  /** Fetches a token from WeCom: resolves to it and its remaining life in seconds (§4.1). */
  readonly fetchToken: () => Promise<{ readonly token: string; readonly expiresIn: number }>;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

const EARLY_MS = 120_000;
const LOCK_MS = 30_000;
const WAIT_MS = 200;
/** How often to wait for the replica that holds the lock: a little longer than a lock can be held. */
const TURNS = LOCK_MS / WAIT_MS + 10;
/** WeCom bans an address that keeps calling with a wrong secret, for an hour (§4.1). */
const REFUSAL_MS = 60_000;

/** Makes the cache of one app's token, for everybody who needs it. A refusal that a retry cannot mend is remembered for a minute. */
export function createAccessTokens({ store, fetchToken, now, sleep }: AccessTokensParts) {
  let held: { readonly token: string; readonly until: number } | null = null;
  let refusal: { readonly error: unknown; readonly until: number } | null = null;
  let refreshing: Promise<string> | null = null;
  /** A refresh that had read this token from the store just before it was dropped must not bring it back. */
  let dropped: string | null = null;

  const readShared = async (): Promise<AccessToken | null> => {
    const shared = await store.read();
    return shared?.token === dropped ? null : shared;
  };

  const refresh = async (): Promise<AccessToken> => {
    if (refusal && refusal.until > now()) throw refusal.error;
    try {
      const { token, expiresIn } = await fetchToken();
      const fresh = { token, lifeMs: usableFor(expiresIn * 1000) };
      await store.write(fresh);
      dropped = null;
      return fresh;
    } catch (error) {
      if (isLasting(error)) refusal = { error, until: now() + REFUSAL_MS };
      throw error;
    }
  };

  const readOrRefresh = async (): Promise<AccessToken> => {
    for (let turn = 0; turn < TURNS; turn += 1) {
      const shared = await readShared();
      if (shared !== null) return shared;
      const unlock = await store.lock(LOCK_MS);
      if (unlock) {
        try {
          // Another replica may have refreshed between our read and our lock.
          return (await readShared()) ?? (await refresh());
        } finally {
          await unlock();
        }
      }
      await sleep(WAIT_MS);
    }
    throw new WeComError('gettoken', 'unsent', 'another replica kept the lock');
  };

  return {
    /** A usable token. However many callers want one at once, in however many replicas, it is fetched once. */
    async get(): Promise<string> {
      if (held !== null && held.until > now() && held.token !== dropped) return held.token;
      refreshing ??= readOrRefresh()
        .then(({ token, lifeMs }) => {
          // Here, and not by each who waits for it: another may have taken its place before the last of them goes on.
          held = { token, until: now() + lifeMs };
          return token;
        })
        .finally(() => {
          refreshing = null;
        });
      return refreshing;
    },
    /** Forgets a token that WeCom refused. */
    async drop(token: string): Promise<void> {
      dropped = token;
      await store.drop(token);
    },
  };
}

/**
 * How long to use a token that has `ms` left: until two minutes before its end. WeCom gives the same token out again
 * until it ends (§4.1), so that one fetched late is used for half of what it has left, and not asked for at every call.
 */
function usableFor(ms: number): number {
  return Math.max(ms - EARLY_MS, ms / 2);
}

function isLasting(error: unknown): boolean {
  return error instanceof WeComError && (error.kind === 'account' || error.kind === 'limit');
}
