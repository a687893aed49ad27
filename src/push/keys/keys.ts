import type { Log } from '../../server/log.ts';
import { type AppRow, readApps } from './app-store.ts';
import { type Apps, type AppsParts, createApps } from './apps.ts';
import { deriveKey, hashKey } from './derive.ts';
import { createNonces } from './nonces.ts';
import { readScopes, type Scopes } from './scopes.ts';
import { createVerifier, type Verifier } from './verify-request.ts';

/** An app as the API sees it. */
export interface App {
  readonly app: string;
  readonly scopes: Scopes;
  readonly perMinute: number;
  readonly callbackHosts: readonly string[];
  readonly enabled: boolean;
  /** Valid ones, newest first. */
  readonly keys: readonly string[];
}

/** Apps and their keys. */
export interface Keys extends Apps, Verifier {
  /** Every app as it stands in the database. */
  list(): Promise<readonly AppRow[]>;
  /** An app, as it was at most a second ago; undefined when there is none. */
  find(app: string): Promise<App | undefined>;
  /** What signs the result callbacks of an app; undefined for an app that is unknown, disabled or without valid key. */
  newestKey(app: string): Promise<string | undefined>;
  /** Forgets nonces whose time is over; to be called every minute or so. */
  prune(): Promise<void>;
}

export interface KeysParts extends AppsParts {
  readonly log?: Log;
}

/** How old what is known of the apps may be; what an administrator changes works in every replica within 2 s. */
const FRESH_MS = 1000;

/** Makes the keeper of app keys. */
export function createKeys(parts: KeysParts): Keys {
  const { db, now } = parts;
  const nonces = createNonces(db, now);
  const known = createKnownApps(parts);
  const find = async (app: string): Promise<App | undefined> => (await known()).get(app);
  return {
    ...createApps(parts),
    ...createVerifier({ find, nonces, now }),
    list: () => readApps(db),
    find,
    newestKey: async (app) => {
      const found = await find(app);
      return found?.enabled ? found.keys[0] : undefined;
    },
    prune: nonces.prune,
  };
}

/** All apps at once: they are few, and an unknown name then costs no query. */
function createKnownApps({ db, masterKey, now, log }: KeysParts): () => Promise<ReadonlyMap<string, App>> {
  const strange = new Set<string>();
  const isOurs = (app: string, keyId: string, key: string, hash: string): boolean => {
    if (hashKey(key) === hash) return true;
    if (!strange.has(keyId)) {
      log?.error(
        { app, keyId },
        'PUSH_MASTER_KEY is not the one that this app key was made with: put the old one back, or rotate the keys of all apps',
      );
    }
    strange.add(keyId);
    return false;
  };
  const load = async (): Promise<ReadonlyMap<string, App>> => {
    const rows = await readApps(db);
    return new Map(
      rows.map(({ app, keys, scopes, ...row }) => {
        const valid = keys
          .map(({ keyId, hash }) => ({ keyId, hash, key: deriveKey(masterKey, app, keyId) }))
          .filter(({ keyId, hash, key }) => isOurs(app, keyId, key, hash));
        return [app, { ...row, app, scopes: readScopes(scopes), keys: valid.map(({ key }) => key) }];
      }),
    );
  };
  let loaded: { readonly at: number; readonly apps: Promise<ReadonlyMap<string, App>> } | undefined;
  return () => {
    const at = now();
    if (loaded !== undefined && Math.abs(at - loaded.at) < FRESH_MS) return loaded.apps;
    const apps = load();
    const mine = { at, apps };
    loaded = mine;
    apps.catch(() => {
      if (loaded === mine) loaded = undefined;
    });
    return apps;
  };
}
