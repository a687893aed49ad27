import type { Template } from './template.ts';

/** What a cache of templates asks of the truth. */
export interface TemplateSource {
  read(key: string): Promise<Template | null>;
  readVersion(key: string): Promise<number | null>;
}

/** The templates used last. */
export interface TemplateCache {
  /** The live version, never one that was replaced more than 1.5 s ago; null when there is none. */
  get(key: string): Promise<Template | null>;
  /** Forgets it: the next `get` asks the truth. */
  drop(key: string): void;
}

/** As long as an entry is believed without a look at its version; a change is to be live everywhere within 2 s. */
const FRESH_MS = 1500;
const SIZE = 100;

interface Entry {
  readonly template: Template;
  readonly checkedAt: number;
}

/** Keeps the 100 templates that were used last. */
export function createTemplateCache(source: TemplateSource, now: () => number): TemplateCache {
  const entries = new Map<string, Entry>();
  const looks = new Map<string, Promise<Template | null>>();

  async function look(key: string, known: Template | undefined): Promise<Entry | undefined> {
    const checkedAt = now();
    if (known !== undefined && (await source.readVersion(key)) === known.version) {
      return { template: known, checkedAt };
    }
    const template = await source.read(key);
    return template === null ? undefined : { template, checkedAt };
  }

  /** Everybody who asks meanwhile waits for the same look; one that was dropped meanwhile is not kept. */
  function lookOnce(key: string, known: Template | undefined): Promise<Template | null> {
    const begun = looks.get(key);
    if (begun !== undefined) return begun;
    const looking = look(key, known)
      .then((entry) => {
        if (looks.get(key) === looking) keep(key, entry);
        return entry?.template ?? null;
      })
      .finally(() => {
        if (looks.get(key) === looking) looks.delete(key);
      });
    looks.set(key, looking);
    return looking;
  }

  /** The order of a Map is that of insertion: what was used last is put at its end, and what stands first goes. */
  function keep(key: string, entry: Entry | undefined): void {
    entries.delete(key);
    if (entry === undefined) return;
    entries.set(key, entry);
    for (const oldest of entries.keys()) {
      if (entries.size <= SIZE) break;
      entries.delete(oldest);
    }
  }

  return {
    async get(key) {
      const entry = entries.get(key);
      if (entry === undefined || now() - entry.checkedAt >= FRESH_MS) return lookOnce(key, entry?.template);
      keep(key, entry);
      return entry.template;
    },
    drop(key) {
      entries.delete(key);
      looks.delete(key);
    },
  };
}
