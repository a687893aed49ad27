import { sql } from 'kysely';
import { asciiChar } from '../../server/migrations.ts';
import { type RowsOf, table } from './schema.ts';

const SHA256 = asciiChar(64);

/** Pictures and files, and what WeCom calls them. */
export const mediaTables = {
  /** One content, whatever it is called. `picture` is what its first bytes say; times are Unix ms. */
  media: table(
    {
      /** Hex. */
      sha256: sql<string>`${SHA256} primary key`,
      picture: sql<'jpg' | 'png' | null>`char(3) character set ascii`,
      size: sql<number>`int not null`,
      created_at: sql<number>`bigint not null`,
      /** When somebody last said that it will be needed, or when it will be. */
      last_used: sql<number>`bigint not null`,
    },
    sql`key media_by_use (last_used)`,
  ),
  /** A part of a content; parts are counted from 0. */
  media_chunks: table(
    {
      sha256: sql<string>`${SHA256} not null`,
      part: sql<number>`int not null`,
      bytes: sql<Buffer>`mediumblob not null`,
    },
    sql`primary key (sha256, part)`,
  ),
  /** An app that has handed this content in itself: nobody else sends it by its hash. */
  media_owners: table(
    {
      sha256: sql<string>`${SHA256} not null`,
      app: sql<string>`varchar(32) not null`,
    },
    sql`primary key (sha256, app)`,
  ),
  /** What WeCom calls a content under a name; whoever holds the lease is uploading it. */
  media_ids: table(
    {
      sha256: sql<string>`${SHA256} not null`,
      kind: sql<'image' | 'file'>`varchar(5) character set ascii not null`,
      /** Empty for images, whose names nobody sees. */
      name: sql<string>`varchar(128) not null`,
      /** `app` for the default account, `app:ACCOUNT`, or `robot:NAME`. */
      owner: sql<string>`varchar(80) not null`,
      media_id: sql<string | null>`varchar(512) character set ascii collate ascii_bin`,
      /** Unix ms; 0 when there is no media_id that works. */
      expires_at: sql<number>`bigint not null`,
      lease_owner: sql<string | null>`${asciiChar(36)}`,
      lease_until: sql<number>`bigint not null`,
    },
    sql`primary key (sha256, kind, name, owner)`,
    sql`key media_ids_by_id (media_id)`,
    sql`key media_ids_by_end (expires_at)`,
  ),
};
export type MediaTables = RowsOf<typeof mediaTables>;
