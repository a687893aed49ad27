import { InputError } from '../../errors.ts';
import { transact } from '../../server/database.ts';
import { createTtlCache } from '../../server/ttl-cache.ts';
import type { Content } from '../content/content.ts';
import { namesIn } from '../content/fill.ts';
import type { Variables } from '../content/message.ts';
import type { Database } from '../database/database.ts';
import { checkVariables, MAX_CONTENT_BYTES, readTemplateKey, type Template } from './template.ts';
import {
  deleteTemplate,
  insertVersion,
  listLive,
  listVersions,
  readLive,
  readVersion,
  type TemplateLine,
} from './template-store.ts';

/** A template as an app writes it. */
export interface NewTemplate {
  readonly title: string;
  readonly content: Content;
  /** The live version that it replaces, 0 for none; without it, whichever there is. */
  readonly version?: number | undefined;
}

/** Contents that are kept under a key; every change is a version, and live in every replica within 2 s. */
export interface Templates {
  /** The live version; null when there is none. */
  get(key: string): Promise<Template | null>;
  /**
   * The live version for a message, unfilled. Throws an InputError when there is none, or that names every variable
   * without a value, but those that are `given` to each receiver when it is sent, such as USERID to users.
   */
  resolve(
    key: string,
    variables: Variables,
    given?: readonly string[],
  ): Promise<{ readonly content: Content; readonly version: number }>;
  /** Makes a new version. Null when the live version is another than the one it replaces. Throws an InputError. */
  put(key: string, template: NewTemplate, author: string): Promise<Template | null>;
  /** Makes a new version that is as an earlier one was, also of a deleted template. Null when there is none such. */
  restore(key: string, version: number, author: string): Promise<Template | null>;
  /** Takes it out of use; false when there was none. */
  remove(key: string): Promise<boolean>;
  /** Live templates by key, those after `after`. */
  list(after: string, limit: number): Promise<readonly TemplateLine[]>;
  /** The newest versions, newest first. */
  versions(key: string, limit: number): Promise<readonly TemplateLine[]>;
}

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
export function createTemplates({ db, now }: TemplateParts): Templates {
  const live = createTtlCache({
    milliseconds: FRESH_MS,
    size: MOST_KEPT,
    keyOf: (key: string) => key,
    ask: (key) => readLive(db, key),
    now,
  });

  async function write(template: Omit<Template, 'version'>, replaces?: number): Promise<Template | null> {
    const conflict = new Error('another version is live');
    try {
      const { version } = await transact(db, async (tx) => {
        const written = await insertVersion(tx, template);
        if (replaces !== undefined && written.before !== replaces) throw conflict;
        return written;
      });
      live.drop(template.key);
      return { ...template, version };
    } catch (error) {
      if (error === conflict) return null;
      throw error;
    }
  }

  return {
    get: async (key) => live.get(readTemplateKey(key)),
    async resolve(key, variables, given) {
      const template = await live.get(readTemplateKey(key));
      if (template === null)
        throw new InputError(`there is no template "${key}"; make it with PUT /v1/templates/${key}`);
      const { content, version } = template;
      checkVariables(namesIn(content), variables, given);
      return { content, version };
    },
    async put(key, { title, content, version }, author) {
      const length = Buffer.byteLength(JSON.stringify(content));
      if (length > MAX_CONTENT_BYTES) {
        throw new InputError(`content: is ${length} bytes of JSON; at most ${MAX_CONTENT_BYTES} are kept`);
      }
      return write(
        { key: readTemplateKey(key), title, content, author, createdAt: new Date(now()).toISOString() },
        version,
      );
    },
    async restore(key, version, author) {
      const old = await readVersion(db, readTemplateKey(key), version);
      if (old === null) return null;
      const { title, content } = old;
      return write({ key, title, content, author, createdAt: new Date(now()).toISOString() });
    },
    async remove(key) {
      const removed = await deleteTemplate(db, readTemplateKey(key));
      live.drop(key);
      return removed;
    },
    list: (after, limit) => listLive(db, after, limit),
    versions: async (key, limit) => listVersions(db, readTemplateKey(key), limit),
  };
}
