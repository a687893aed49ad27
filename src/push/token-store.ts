import { hash, hkdfSync, randomUUID } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { sql } from 'kysely';
import type { TokenStore } from '../wecom/api/access-token.ts';
import type { AppOptions } from '../wecom/api/app.ts';
import { databaseTime } from './database/clock.ts';
import type { Database } from './database/database.ts';

/** What was written under an earlier secret is deleted when it has been of no use for a day. */
const KEPT_MS = 86_400_000;

/**
 * Keeps one app's access token in MySQL, for all replicas; times are told by the clock of the database, since theirs
 * differ. It is sealed under the app's secret: a token does all that the secret does, and backups of a database go many
 * ways. A changed secret begins anew: a token that was issued to the old one is never used under it.
 */
export function createTokenStore(
  db: Database,
  { corpId, agentId, secret }: Pick<AppOptions, 'corpId' | 'agentId' | 'secret'>,
  now = () => databaseTime,
): TokenStore {
  const app = { corp_id: corpId, agent_id: agentId };
  const key = { ...app, secret_hash: hash('sha256', secret).slice(0, 16) };
  const seal = createSeal(secret);
  const change = () => db.updateTable('access_tokens').where((eb) => eb.and(key));
  const later = (ms: number) => sql<number>`${now()} + ${ms}`;

  /** What is kept; a value that cannot be decrypted counts as none, and is overwritten. */
  const find = async () => {
    const lifeMs = sql<number>`expires_at - ${now()}`.as('lifeMs');
    const kept = db.selectFrom('access_tokens').select(['sealed', lifeMs]);
    const row = await kept.where((eb) => eb.and(key)).executeTakeFirst();
    const token = row?.sealed ? await seal.open(row.sealed) : null;
    return row === undefined || token === null ? null : { ...row, token };
  };

  return {
    async read() {
      const kept = await find();
      return kept === null || kept.lifeMs <= 0 ? null : { token: kept.token, lifeMs: kept.lifeMs };
    },
    async write({ token, lifeMs }) {
      const kept = { sealed: await seal.close(token), expires_at: later(lifeMs) };
      const row = { ...key, ...kept, lease_owner: null, lease_until: 0 };
      await db.insertInto('access_tokens').values(row).onDuplicateKeyUpdate(kept).execute();
      const ofApp = db.deleteFrom('access_tokens').where((eb) => eb.and(app));
      const useless = ofApp.where('expires_at', '<', later(-KEPT_MS));
      await useless.where('lease_until', '<', now()).execute();
    },
    async drop(token) {
      const kept = await find();
      if (kept?.token !== token) return;
      await change().set({ sealed: null, expires_at: 0 }).where('sealed', '=', kept.sealed).execute();
    },
    async lock(ms) {
      const owner = randomUUID();
      const row = { ...key, sealed: null, expires_at: 0, lease_owner: null, lease_until: 0 };
      await db.insertInto('access_tokens').ignore().values(row).execute();
      const lease = change().set({ lease_owner: owner, lease_until: later(ms) });
      const { numUpdatedRows } = await lease.where('lease_until', '<=', now()).executeTakeFirst();
      if (numUpdatedRows === 0n) return null;
      return async () =>
        void (await change().set({ lease_until: 0 }).where('lease_owner', '=', owner).execute());
    },
  };
}

/** Encrypts texts under a secret, and authenticates them: A256GCM, under a key that follows from the secret. */
export function createSeal(secret: string) {
  const key = new Uint8Array(hkdfSync('sha256', secret, '', 'keypad seal', 32));
  const header = { alg: 'dir', enc: 'A256GCM' };
  const allowed = { keyManagementAlgorithms: [header.alg], contentEncryptionAlgorithms: [header.enc] };
  return {
    close: (text: string): Promise<string> =>
      new CompactEncrypt(Buffer.from(text)).setProtectedHeader(header).encrypt(key),
    /** Null for a text that was sealed under another secret, or changed since. */
    async open(sealed: string): Promise<string | null> {
      const opened = await compactDecrypt(sealed, key, allowed).catch(() => null);
      return opened === null ? null : Buffer.from(opened.plaintext).toString();
    },
  };
}
