import { sql } from 'kysely';
import { asciiChar } from '../../server/migrations.ts';
import { table } from './schema.ts';

/** Access tokens, which replicas share. */
export const tokenTables = {
  /** The access token of one app under one secret; whoever holds the lease fetches it. Times are those of the database, Unix ms. */
  access_tokens: table(
    {
      corp_id: sql<string>`varchar(64) not null`,
      agent_id: sql<number>`int not null`,
      /** The beginning of its SHA-256, hex. */
      secret_hash: sql<string>`${asciiChar(16)} not null`,
      /** The token, encrypted under the secret. */
      sealed: sql<string | null>`text character set ascii collate ascii_bin`,
      expires_at: sql<number>`bigint not null`,
      lease_owner: sql<string | null>`${asciiChar(36)}`,
      lease_until: sql<number>`bigint not null`,
    },
    sql`primary key (corp_id, agent_id, secret_hash)`,
  ),
};
