import { InputError } from '../../errors.ts';
import type { Log } from '../../server/log.ts';
import { createTtlCache } from '../../server/ttl-cache.ts';
import type { Database } from '../database/database.ts';
import { readScopes, type Scopes } from './scopes.ts';
import { deriveEarlyKey, deriveKey, hashOf } from './signature.ts';

/** An app as it stands in the database. */
export type AppRow = Awaited<ReturnType<typeof readApps>>[number];

/** Every app, by id; keys newest first, without the retired ones. Times are Unix ms. */
export async function readApps(db: Database) {
  const [apps, keys] = await Promise.all([
    db.selectFrom('apps').selectAll().orderBy('app_id').execute(),
    db.selectFrom('app_keys').selectAll().where('retired_at', 'is', null).orderBy('id', 'desc').execute(),
  ]);
  return apps.map((row) => ({
    app: row.app_id,
    scopes: JSON.parse(row.scopes) as readonly string[],
    perMinute: row.per_minute,
    /** Hosts that result callbacks may go to. */
    callbackHosts: JSON.parse(row.callback_hosts) as readonly string[],
    enabled: row.enabled === 1,
    keys: keys
      .filter((key) => key.app_id === row.app_id)
      // The hash is enough to see that the master key has changed, and no more.
      .map((key) => ({ keyId: key.key_id, hash: key.key_hash, createdAt: key.created_at })),
  }));
}

/** An app as the API sees it. */
export interface App extends Omit<AppRow, 'scopes' | 'keys'> {
  readonly scopes: Scopes;
  /** Valid ones, newest first. */
  readonly keys: readonly string[];
}

/** What apps and their keys are kept with. */
export interface KeysParts {
  readonly db: Database;
  readonly masterKey: string;
  /** Unix ms. */
  readonly now: () => number;
  readonly log?: Log;
}

/** How old what is known of the apps may be; what an administrator changes works in every replica within 2 s. */
const FRESH_MS = 1000;

/** All apps, as they were a moment ago; they are few, and an unknown name then costs no query. */
export function createAppCache(parts: KeysParts): () => Promise<ReadonlyMap<string, App>> {
  const { db, masterKey, now, log } = parts;
  const reported = new Set<string>();
  /** Each problem is logged once, not at every look. */
  const reportOnce = (app: string, what: string, sentence: string): void => {
    if (!reported.has(`${app} ${what}`)) log?.error({ app, about: what }, sentence);
    reported.add(`${app} ${what}`);
  };

  const readKeys = ({ app, keys }: AppRow): readonly string[] =>
    keys.flatMap(({ keyId, hash }) => {
      const made = [deriveKey, deriveEarlyKey].map((derive) => derive(masterKey, app, keyId));
      const key = made.find((each) => hashOf(each) === hash);
      if (key !== undefined) return [key];
      reportOnce(
        app,
        keyId,
        'PUSH_MASTER_KEY is not the one that this app key was made with: put the old one back, or rotate the keys of all apps',
      );
      return [];
    });

  /** What cannot be read of one app must not shut out the others. */
  const readApp = (row: AppRow): readonly App[] => {
    try {
      return [{ ...row, scopes: readScopes(row.scopes), keys: readKeys(row) }];
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      reportOnce(row.app, 'scopes', `This app is shut out until its scopes are right: ${error.message}`);
      return [];
    }
  };

  const load = async (): Promise<ReadonlyMap<string, App>> =>
    new Map((await readApps(db)).flatMap(readApp).map((app) => [app.app, app]));

  const all = createTtlCache({ milliseconds: FRESH_MS, size: 1, keyOf: () => 'all', ask: load, now });
  return () => all.get(undefined);
}
