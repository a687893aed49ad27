import { sql } from 'kysely';
import { asciiChar, statements, TABLE_OPTIONS } from '../../server/migrations.ts';

/** Pictures and files, and what WeCom calls them. */
export interface MediaTables {
  /** One content, whatever it is called. `picture` is what its first bytes say; times are Unix ms. */
  media: {
    /** Hex. */
    sha256: string;
    picture: 'jpg' | 'png' | null;
    size: number;
    created_at: number;
    /** When somebody last said that it will be needed, or when it will be. */
    last_used: number;
  };
  /** A part of a content; parts are counted from 0. */
  media_chunks: {
    sha256: string;
    part: number;
    bytes: Buffer;
  };
  /** An app that has handed this content in itself: nobody else sends it by its hash. */
  media_owners: {
    sha256: string;
    app: string;
  };
  /** What WeCom calls a content under a name; whoever holds the lease is uploading it. */
  media_ids: {
    sha256: string;
    kind: 'image' | 'file';
    /** Empty for images, whose names nobody sees. */
    name: string;
    /** `app` for the default account, `app:ACCOUNT`, or `robot:NAME`. */
    owner: string;
    media_id: string | null;
    /** Unix ms; 0 when there is no media_id that works. */
    expires_at: number;
    lease_owner: string | null;
    lease_until: number;
  };
}

const SHA256 = asciiChar(64);

export const mediaTables = statements(
  sql`create table if not exists media (
    sha256 ${SHA256} primary key,
    picture char(3) character set ascii,
    size int not null,
    created_at bigint not null,
    last_used bigint not null,
    key media_by_use (last_used)
  ) ${TABLE_OPTIONS}`,
  sql`create table if not exists media_chunks (
    sha256 ${SHA256} not null,
    part int not null,
    bytes mediumblob not null,
    primary key (sha256, part)
  ) ${TABLE_OPTIONS}`,
  sql`create table if not exists media_ids (
    sha256 ${SHA256} not null,
    kind varchar(5) character set ascii not null,
    name varchar(128) not null,
    owner varchar(80) not null,
    media_id varchar(512) character set ascii collate ascii_bin,
    expires_at bigint not null,
    lease_owner ${asciiChar(36)},
    lease_until bigint not null,
    primary key (sha256, kind, name, owner),
    key media_ids_by_id (media_id),
    key media_ids_by_end (expires_at)
  ) ${TABLE_OPTIONS}`,
);

export const mediaOwnerTables = statements(
  sql`create table if not exists media_owners (
    sha256 ${SHA256} not null,
    app varchar(32) not null,
    primary key (sha256, app)
  ) ${TABLE_OPTIONS}`,
);
