import { sql } from 'kysely';
import { InputError } from '../../errors.ts';
import { transact } from '../../server/database.ts';
import { createTtlCache } from '../../server/ttl-cache.ts';
import type { Content } from '../content/content.ts';
import { iso, TEMPLATE_KEY } from '../content/fields.ts';
import { checkPlaces, namesIn } from '../content/fill.ts';
import type { Variables } from '../content/message.ts';
import type { Database, Tx } from '../database/database.ts';
import type { TemplateTables } from '../database/template-tables.ts';
import { Refusal } from '../http/route.ts';
import {
  checkVariables,
  MAX_CONTENT_BYTES,
  type NewTemplate,
  type Template,
  type TemplateLine,
} from './template.ts';

/** Contents that are kept under a key; every change is a version, and live in every replica within 2 s. */
export type Templates = ReturnType<typeof createTemplates>;

/** How old what is known of a template may be; a change is to be live in every replica within 2 s. */
const FRESH_MS = 1500;
/** So many templates are kept in memory. */
const MOST_KEPT = 100;
const lineColumns = ['v.template_key', 'v.version', 'v.title', 'v.author', 'v.created_at'] as const;

/** Opens the templates; `now` is Unix ms. */
export function createTemplates({ db, now }: { readonly db: Database; readonly now: () => number }) {
  /** All versions of a template, live or not. */
  const versionsOf = (key: string) =>
    db.selectFrom('template_versions as v').where('template_key', '=', known(key));
  /** The live versions of all templates. */
  const liveVersions = db
    .selectFrom('template_versions as v')
    .innerJoin('templates as live', (join) =>
      join.onRef('live.template_key', '=', 'v.template_key').onRef('live.version', '=', 'v.version'),
    )
    .where('live.deleted', '=', 0);
  const live = createTtlCache({
    milliseconds: FRESH_MS,
    size: MOST_KEPT,
    keyOf: (key: string) => key,
    async ask(key) {
      const query = liveVersions.selectAll('v').where('live.template_key', '=', known(key));
      const row = await query.executeTakeFirst();
      return row === undefined ? null : templateOf(row);
    },
    now,
  });

  /** Makes a version the newest and live one. Throws a Refusal when another is live than the one that it `replaces`. */
  async function write(
    { key, title, content, author }: Omit<Template, 'version' | 'createdAt'>,
    replaces?: number,
  ): Promise<Template> {
    const created_at = now();
    const version = await transact(db, async (tx) => {
      const last = await lockTemplate(tx, key);
      if (replaces !== undefined && replaces !== (last.deleted === 0 ? last.version : 0)) {
        throw new Refusal(409, `version: another than ${replaces} is live; GET the template, then put again`);
      }
      const version = last.version + 1;
      const row = { template_key: key, version, title, content: JSON.stringify(content), author, created_at };
      await tx.insertInto('template_versions').values(row).execute();
      const template = tx.updateTable('templates').where('template_key', '=', key);
      await template.set({ version, deleted: 0 }).execute();
      return version;
    });
    live.drop(key);
    return { key, version, title, content, author, createdAt: iso(created_at) };
  }

  return {
    /** The live version; null when there is none. */
    get: (key: string): Promise<Template | null> => live.get(key),
    /**
     * The live version for a message, unfilled. Throws an InputError when there is none, or that names every variable
     * without a value, but those that are `given` to each receiver when it is sent, such as USERID to users.
     */
    async resolve(key: string, variables: Variables, given?: readonly string[]) {
      const template = await live.get(key);
      if (template === null)
        throw new InputError(`there is no template "${key}"; make it with PUT /v1/templates/${key}`);
      const { content, version } = template;
      checkVariables(namesIn(content), variables, given);
      return { content, version };
    },
    /** Makes a new version. Throws an InputError, and a Refusal when another version is live than the one it replaces. */
    async put(key: string, { title, content, version }: NewTemplate, author: string): Promise<Template> {
      if (!TEMPLATE_KEY.test(key)) {
        throw new InputError('the key of a template has 1 to 32 letters, digits, dots, _ or -');
      }
      const length = Buffer.byteLength(JSON.stringify(content));
      if (length > MAX_CONTENT_BYTES) {
        throw new InputError(`content: is ${length} bytes of JSON; at most ${MAX_CONTENT_BYTES} are kept`);
      }
      checkPlaces(content);
      return write({ key, title, content, author }, version);
    },
    /** Makes a new version that is as an earlier one was, also of a deleted template. Throws a Refusal when there is none such. */
    async restore(key: string, version: number, author: string): Promise<Template> {
      const old = await versionsOf(key).selectAll().where('version', '=', version).executeTakeFirst();
      if (old !== undefined) return write({ ...templateOf(old), author });
      const problem = `template "${key}" has no version ${version}; GET …/${key}/versions lists them`;
      throw new Refusal(404, problem);
    },
    /** Takes it out of use; its versions stay. False when none was live. */
    async remove(key: string): Promise<boolean> {
      const taken = db.updateTable('templates').set({ deleted: 1 }).where('template_key', '=', known(key));
      const { numUpdatedRows } = await taken.where('deleted', '=', 0).executeTakeFirst();
      live.drop(key);
      return numUpdatedRows > 0n;
    },
    /** Live templates in the order of their keys, those after `after`. */
    async list(after: string, limit: number): Promise<readonly TemplateLine[]> {
      const query = liveVersions.select(lineColumns).where('live.template_key', '>', after);
      return (await query.orderBy('live.template_key').limit(limit).execute()).map(lineOf);
    },
    /** The newest versions of a template, newest first; also of a deleted one. */
    async versions(key: string, limit: number): Promise<readonly TemplateLine[]> {
      const query = versionsOf(key).select(lineColumns).orderBy('version', 'desc').limit(limit);
      return (await query.execute()).map(lineOf);
    },
  };
}

/** The key if a template can have it; otherwise one that none has: the column is ASCII, and MySQL refuses to compare other signs. */
function known(key: string): string {
  return TEMPLATE_KEY.test(key) ? key : '';
}

/** Takes the lock of a template's row, which is made if there is none: whoever comes second waits here and counts on. */
async function lockTemplate(tx: Tx, key: string) {
  await sql`insert into templates (template_key, version, deleted) values (${key}, 0, 1)
    on duplicate key update version = templates.version`.execute(tx);
  const mine = tx.selectFrom('templates').select(['version', 'deleted']).where('template_key', '=', key);
  return mine.forUpdate().executeTakeFirstOrThrow();
}

function lineOf(row: Omit<TemplateTables['template_versions'], 'content'>): TemplateLine {
  const { template_key: key, version, title, author, created_at } = row;
  return { key, version, title, author, createdAt: iso(created_at) };
}

function templateOf(row: TemplateTables['template_versions']): Template {
  return { ...lineOf(row), content: JSON.parse(row.content) as Content };
}
