import { describe, expect, test } from 'vitest';
import { createAccessTokens, type TokenStore } from '../../../src/wecom/api/access-token.ts';
import { WeComError } from '../../../src/wecom/api/wecom-error.ts';
import { createMemoryTokenStore } from './scripted-wecom.ts';

/** One replica on a clock that the test moves; `fetch` answers a token of 7200 s unless told otherwise. */
function replica(options: { store?: TokenStore; life?: () => number; fail?: () => unknown } = {}) {
  const clock = { ms: 0 };
  const { store = createMemoryTokenStore(() => clock.ms), life = () => 7200, fail = () => null } = options;
  const slept: number[] = [];
  let fetched = 0;
  const tokens = createAccessTokens({
    store,
    fetchToken: async () => {
      fetched += 1;
      const error = fail();
      if (error) throw error;
      return { token: `token-${fetched}`, expiresIn: life() };
    },
    now: () => clock.ms,
    sleep: async (ms) => void slept.push(ms),
  });
  return { tokens, clock, slept, store, fetched: () => fetched };
}

describe('a token', () => {
  test('is used until two minutes before its end, then replaced', async () => {
    const { tokens, clock } = replica();
    expect(await tokens.get()).toBe('token-1');
    clock.ms = 7_080_000 - 1;
    expect(await tokens.get()).toBe('token-1');
    clock.ms = 7_080_000;
    expect(await tokens.get()).toBe('token-2');
  });

  test('with little life left is used for half of it: WeCom would only give it out again', async () => {
    const { tokens, clock, fetched } = replica({ life: () => 100 });
    await tokens.get();
    clock.ms = 49_999;
    await tokens.get();
    expect(fetched()).toBe(1);
    clock.ms = 50_000;
    await tokens.get();
    expect(fetched()).toBe(2);
  });

  test('is taken from the store when another replica fetched it', async () => {
    const first = replica();
    await first.tokens.get();
    const second = replica({ store: first.store });
    expect(await second.tokens.get()).toBe('token-1');
    expect(second.fetched()).toBe(0);
  });

  test('is one for all replicas, however far apart their clocks are', async () => {
    const database = { ms: 0 };
    const store = createMemoryTokenStore(() => database.ms);
    const [right, ahead, behind] = [replica({ store }), replica({ store }), replica({ store })];
    ahead.clock.ms = 90_000_000;
    behind.clock.ms = -90_000_000;
    const pass = (ms: number) => {
      for (const clock of [database, right.clock, ahead.clock, behind.clock]) clock.ms += ms;
    };
    const all = async () => [await ahead.tokens.get(), await right.tokens.get(), await behind.tokens.get()];
    const fetched = () => ahead.fetched() + right.fetched() + behind.fetched();
    expect(new Set(await all()).size).toBe(1);
    pass(7_080_000 - 1);
    expect(new Set(await all()).size).toBe(1);
    expect(fetched()).toBe(1);
    pass(1);
    await all();
    expect(fetched()).toBe(2);
  });

  test('is not fetched by who gets the lock only after another replica fetched it', async () => {
    const store = createMemoryTokenStore();
    const lock = async (ms: number) => {
      await store.write({ token: 'of another', lifeMs: 1000 });
      return store.lock(ms);
    };
    const late = replica({ store: { ...store, lock } });
    expect(await late.tokens.get()).toBe('of another');
    expect(late.fetched()).toBe(0);
  });

  test('that was dropped is not used again, by nobody', async () => {
    const first = replica();
    await first.tokens.drop(await first.tokens.get());
    expect(await first.store.read()).toBeNull();
    expect(await first.tokens.get()).toBe('token-2');
  });

  test('that was dropped is not brought back by who read it a moment before', async () => {
    const store = createMemoryTokenStore();
    const dropping = Promise.withResolvers<void>();
    const drop = async (token: string) => {
      await dropping.promise;
      await store.drop(token);
    };
    const { tokens, fetched } = replica({ store: { ...store, drop } });
    const old = await tokens.get();
    const dropped = tokens.drop(old);
    const meanwhile = tokens.get();
    dropping.resolve();
    await dropped;
    expect([await meanwhile, await tokens.get()]).toEqual(['token-2', 'token-2']);
    expect(fetched()).toBe(2);
  });

  test('that WeCom gives out again after it was refused is used again', async () => {
    const store = createMemoryTokenStore();
    let fetched = 0;
    const tokens = createAccessTokens({
      store,
      fetchToken: async () => {
        fetched += 1;
        return { token: 'the same', expiresIn: 7200 };
      },
      now: () => 0,
      sleep: async () => {},
    });
    await tokens.drop(await tokens.get());
    expect(await tokens.get()).toBe('the same');
    expect((await store.read())?.token).toBe('the same');
    expect(await tokens.get()).toBe('the same');
    expect(fetched).toBe(2);
  });

  test('that replaced a dropped one survives a late second drop', async () => {
    const { tokens, store } = replica();
    const old = await tokens.get();
    await tokens.drop(old);
    const fresh = await tokens.get();
    await tokens.drop(old);
    expect(await tokens.get()).toBe(fresh);
    expect((await store.read())?.token).toBe(fresh);
  });
});

describe('a wrong secret', () => {
  const wrong = () => new WeComError('gettoken', 40001, 'invalid credential');

  test('is tried once a minute, because WeCom bans the address otherwise', async () => {
    const { tokens, clock, fetched } = replica({ fail: wrong });
    for (let i = 0; i < 10; i += 1) await expect(tokens.get()).rejects.toMatchObject({ errcode: 40001 });
    expect(fetched()).toBe(1);
    clock.ms = 60_000;
    await expect(tokens.get()).rejects.toMatchObject({ errcode: 40001 });
    expect(fetched()).toBe(2);
  });

  test('that was mended works a minute later', async () => {
    let isWrong = true;
    const { tokens, clock } = replica({ fail: () => (isWrong ? wrong() : null) });
    await expect(tokens.get()).rejects.toThrow();
    isWrong = false;
    clock.ms = 60_000;
    expect(await tokens.get()).toBe('token-2');
  });

  test('too many calls are remembered alike, a busy WeCom is not', async () => {
    const limited = replica({ fail: () => new WeComError('gettoken', 45009, 'freq') });
    const busy = replica({ fail: () => new WeComError('gettoken', -1, 'busy') });
    for (const { tokens } of [limited, limited, busy, busy])
      await expect(tokens.get()).rejects.toThrow(WeComError);
    expect([limited.fetched(), busy.fetched()]).toEqual([1, 2]);
  });
});

test('a failed refresh gives the lock back', async () => {
  let fails = true;
  const { tokens } = replica({ fail: () => (fails ? new Error('x') : null) });
  await expect(tokens.get()).rejects.toThrow('x');
  fails = false;
  expect(await tokens.get()).toBe('token-2');
});

test('a lock that never comes free ends the waiting, after as long as a lock can last', async () => {
  const store = { ...createMemoryTokenStore(), lock: async () => null };
  const { tokens, slept, fetched } = replica({ store });
  await expect(tokens.get()).rejects.toMatchObject({ errcode: 'unsent', kind: 'retry' });
  expect(fetched()).toBe(0);
  expect(slept.reduce((sum, ms) => sum + ms, 0)).toBe(32_000);
});
