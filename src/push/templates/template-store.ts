import type { Content } from '../content/content.ts';
import { iso } from '../content/fields.ts';
import type { Database, Tx } from '../database/database.ts';
import type { TemplateVersionTable } from '../database/template-tables.ts';
import type { Template, TemplateLine } from './template.ts';

/** The live versions of all templates. */
const liveOf = (db: Database) =>
  db
    .selectFrom('templates as live')
    .innerJoin('template_versions as each', (join) =>
      join.onRef('each.template_key', '=', 'live.template_key').onRef('each.version', '=', 'live.version'),
    )
    .where('live.deleted', '=', 0);

/** The live version of a template; null when there is none. */
export async function readLive(db: Database, key: string): Promise<Template | null> {
  const row = await liveOf(db).selectAll('each').where('live.template_key', '=', key).executeTakeFirst();
  return row === undefined ? null : templateOf(row);
}

/** One version, live or not; null when there is none. */
export async function readVersion(db: Database | Tx, key: string, version: number): Promise<Template | null> {
  const row = await db
    .selectFrom('template_versions')
    .selectAll()
    .where('template_key', '=', key)
    .where('version', '=', version)
    .executeTakeFirst();
  return row === undefined ? null : templateOf(row);
}

/** Live templates in the order of their keys, those after `after`. */
export async function listLive(db: Database, after: string, limit: number): Promise<readonly TemplateLine[]> {
  const rows = await liveOf(db)
    .select(['each.template_key', 'each.version', 'each.title', 'each.author', 'each.created_at'])
    .where('live.template_key', '>', after)
    .orderBy('live.template_key')
    .limit(limit)
    .execute();
  return rows.map(lineOf);
}

/** The newest versions of a template, newest first; also of a deleted one. */
export async function listVersions(
  db: Database,
  key: string,
  limit: number,
): Promise<readonly TemplateLine[]> {
  const rows = await db
    .selectFrom('template_versions')
    .select(['template_key', 'version', 'title', 'author', 'created_at'])
    .where('template_key', '=', key)
    .orderBy('version', 'desc')
    .limit(limit)
    .execute();
  return rows.map(lineOf);
}

/** Makes a version the newest and live one; resolves to its number and the one before it, 0 when there was none live. */
export async function insertVersion(
  tx: Tx,
  { key, title, content, author, createdAt }: Omit<Template, 'version'>,
): Promise<{ version: number; before: number }> {
  // Takes the row's lock at once: whoever comes second waits here and counts on.
  await tx
    .insertInto('templates')
    .values({ template_key: key, version: 0, deleted: 1 })
    .onDuplicateKeyUpdate((row) => ({ version: row.ref('version') }))
    .execute();
  const row = await tx
    .selectFrom('templates')
    .select(['version', 'deleted'])
    .where('template_key', '=', key)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const version = row.version + 1;
  await tx
    .insertInto('template_versions')
    .values({
      template_key: key,
      version,
      title,
      content: JSON.stringify(content),
      author,
      created_at: Date.parse(createdAt),
    })
    .execute();
  await tx.updateTable('templates').set({ version, deleted: 0 }).where('template_key', '=', key).execute();
  return { version, before: row.deleted === 0 ? row.version : 0 };
}

/** Takes a template out of use; its versions stay. False when none was live. */
export async function deleteTemplate(db: Database, key: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('templates')
    .set({ deleted: 1 })
    .where('template_key', '=', key)
    .where('deleted', '=', 0)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

type LineRow = Omit<TemplateVersionTable, 'content'>;

function lineOf({ template_key: key, version, title, author, created_at }: LineRow): TemplateLine {
  return { key, version, title, author, createdAt: iso(created_at) };
}

function templateOf(row: TemplateVersionTable): Template {
  return { ...lineOf(row), content: JSON.parse(row.content) as Content };
}
