import { sql } from 'kysely';
import { statements, TABLE_OPTIONS } from '../../server/migrations.ts';

/** Templates and their versions. */
export interface TemplateTables {
  /** Which version of a template is live; a deleted one goes on counting when it comes back. */
  templates: {
    template_key: string;
    version: number;
    deleted: 0 | 1;
  };
  /** Every version that there was; `content` is JSON, `author` the app that wrote it, `created_at` Unix ms. */
  template_versions: {
    template_key: string;
    version: number;
    title: string;
    content: string;
    author: string;
    created_at: number;
  };
}

const KEY = sql`varchar(32) character set ascii collate ascii_bin`;

export const templateTables = statements(
  sql`create table if not exists templates (
    template_key ${KEY} primary key,
    version int not null,
    deleted tinyint not null
  ) ${TABLE_OPTIONS}`,
  sql`create table if not exists template_versions (
    template_key ${KEY} not null,
    version int not null,
    title varchar(100) not null,
    content text not null,
    author varchar(32) not null,
    created_at bigint not null,
    primary key (template_key, version)
  ) ${TABLE_OPTIONS}`,
);
