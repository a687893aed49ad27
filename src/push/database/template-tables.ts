import { sql } from 'kysely';
import { type RowsOf, table } from './schema.ts';

const KEY = sql`varchar(32) character set ascii collate ascii_bin`;

/** Templates and their versions. */
export const templateTables = {
  /** Which version of a template is live; a deleted one goes on counting when it comes back. */
  templates: table({
    template_key: sql<string>`${KEY} primary key`,
    version: sql<number>`int not null`,
    deleted: sql<0 | 1>`tinyint not null`,
  }),
  /** Every version that there was; `content` is JSON, `author` the app that wrote it, `created_at` Unix ms. */
  template_versions: table(
    {
      template_key: sql<string>`${KEY} not null`,
      version: sql<number>`int not null`,
      title: sql<string>`varchar(100) not null`,
      content: sql<string>`text not null`,
      author: sql<string>`varchar(32) not null`,
      created_at: sql<number>`bigint not null`,
    },
    sql`primary key (template_key, version)`,
  ),
};
export type TemplateTables = RowsOf<typeof templateTables>;
