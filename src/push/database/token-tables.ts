import { sql } from 'kysely';
import { asciiChar, statements, TABLE_OPTIONS } from '../../server/migrations.ts';

/** Access tokens, which replicas share. */
export interface TokenTables {
  /** The access token of one app under one secret; whoever holds the lease fetches it. Times are those of the database, Unix ms. */
  access_tokens: {
    corp_id: string;
    agent_id: number;
    /** The beginning of its SHA-256, hex. */
    secret_hash: string;
    /** The token, encrypted under the secret. */
    sealed: string | null;
    expires_at: number;
    lease_owner: string | null;
    lease_until: number;
  };
}

export const tokenTables = statements(
  sql`create table if not exists access_tokens (
    corp_id varchar(64) not null,
    agent_id int not null,
    secret_hash ${asciiChar(16)} not null,
    sealed text character set ascii collate ascii_bin,
    expires_at bigint not null,
    lease_owner ${asciiChar(36)},
    lease_until bigint not null,
    primary key (corp_id, agent_id, secret_hash)
  ) ${TABLE_OPTIONS}`,
);
