import { InputError } from '../../errors.ts';
import { transact } from '../../server/database.ts';
import { createTtlCache } from '../../server/ttl-cache.ts';
import type { Content } from '../content/content.ts';
import { iso } from '../content/fields.ts';
import { namesIn } from '../content/fill.ts';
import type { Variables } from '../content/message.ts';
import type { Database } from '../database/database.ts';
import { Refusal } from '../http/route.ts';
import {
  checkVariables,
  MAX_CONTENT_BYTES,
  type NewTemplate,
  readTemplateKey,
  type Template,
} from './template.ts';
import {
  deleteTemplate,
  insertVersion,
  listLive,
  listVersions,
  readLive,
  readVersion,
} from './template-store.ts';

/** Contents that are kept under a key; every change is a version, and live in every replica within 2 s. */
export type Templates = ReturnType<typeof createTemplates>;

export interface TemplateParts {
  readonly db: Database;
  /** Unix ms. */
  readonly now: () => number;
}

/** How old what is known of a template may be; a change is to be live in every replica within 2 s. */
const FRESH_MS = 1500;
/** So many templates are kept. */
const MOST_KEPT = 100;

/** Opens the templates. */
export function createTemplates({ db, now }: TemplateParts) {
  const live = createTtlCache({
    milliseconds: FRESH_MS,
    size: MOST_KEPT,
    keyOf: (key: string) => key,
    ask: (key) => readLive(db, key),
    now,
  });

  async function write(template: Omit<Template, 'version'>, replaces?: number): Promise<Template> {
    const { version } = await transact(db, async (tx) => {
      const { version, before } = await insertVersion(tx, template);
      if (replaces === undefined || replaces === before) return { version };
      throw new Refusal(409, `version: another than ${replaces} is live; GET the template, then put again`);
    });
    live.drop(template.key);
    return { ...template, version };
  }

  return {
    /** The live version; null when there is none. */
    get: async (key: string): Promise<Template | null> => live.get(readTemplateKey(key)),
    /**
     * The live version for a message, unfilled. Throws an InputError when there is none, or that names every variable
     * without a value, but those that are `given` to each receiver when it is sent, such as USERID to users.
     */
    async resolve(
      key: string,
      variables: Variables,
      given?: readonly string[],
    ): Promise<{ readonly content: Content; readonly version: number }> {
      const template = await live.get(readTemplateKey(key));
      if (template === null)
        throw new InputError(`there is no template "${key}"; make it with PUT /v1/templates/${key}`);
      const { content, version } = template;
      checkVariables(namesIn(content), variables, given);
      return { content, version };
    },
    /** Makes a new version. Throws an InputError, and a Refusal when another version is live than the one it replaces. */
    async put(key: string, { title, content, version }: NewTemplate, author: string): Promise<Template> {
      const length = Buffer.byteLength(JSON.stringify(content));
      if (length > MAX_CONTENT_BYTES) {
        throw new InputError(`content: is ${length} bytes of JSON; at most ${MAX_CONTENT_BYTES} are kept`);
      }
      return write({ key: readTemplateKey(key), title, content, author, createdAt: iso(now()) }, version);
    },
    /** Makes a new version that is as an earlier one was, also of a deleted template. Throws a Refusal when there is none such. */
    async restore(key: string, version: number, author: string): Promise<Template> {
      const old = await readVersion(db, readTemplateKey(key), version);
      if (old === null) {
        const problem = `template "${key}" has no version ${version}; GET …/${key}/versions lists them`;
        throw new Refusal(404, problem);
      }
      return write({ ...old, author, createdAt: iso(now()) });
    },
    /** Takes it out of use; false when there was none. */
    async remove(key: string): Promise<boolean> {
      const removed = await deleteTemplate(db, readTemplateKey(key));
      live.drop(key);
      return removed;
    },
    /** Live templates by key, those after `after`. */
    list: (after: string, limit: number) => listLive(db, after, limit),
    /** The newest versions, newest first. */
    versions: async (key: string, limit: number) => listVersions(db, readTemplateKey(key), limit),
  };
}
