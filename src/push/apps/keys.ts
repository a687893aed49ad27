import type { Log } from '../../server/log.ts';
import { type App, createAppCache } from './app-cache.ts';
import { type AppRow, readApps } from './app-store.ts';
import { type Apps, type AppsParts, createApps } from './apps.ts';
import { createNonces, type Nonces } from './nonces.ts';

export type { App } from './app-cache.ts';

/** Apps and their keys. */
export interface Keys extends Apps {
  /** Every app as it stands in the database. */
  list(): Promise<readonly AppRow[]>;
  /** An app, as it was at most a second ago; undefined when there is none. */
  find(app: string): Promise<App | undefined>;
  /** Uses up a nonce. */
  readonly useNonce: Nonces['use'];
  /** What signs the result callbacks of an app; undefined for an app that is unknown, disabled or without valid key. */
  newestKey(app: string): Promise<string | undefined>;
  /** Forgets nonces whose time is over; to be called every minute or so. */
  prune(): Promise<void>;
}

export interface KeysParts extends AppsParts {
  readonly log?: Log;
}

/** Makes the keeper of app keys. */
export function createKeys(parts: KeysParts): Keys {
  const { db, now } = parts;
  const nonces = createNonces(db, now);
  const known = createAppCache(parts);
  const find = async (app: string): Promise<App | undefined> => (await known()).get(app);
  return {
    ...createApps(parts),
    list: () => readApps(db),
    find,
    useNonce: nonces.use,
    newestKey: async (app) => {
      const found = await find(app);
      return found?.enabled ? found.keys[0] : undefined;
    },
    prune: nonces.prune,
  };
}
