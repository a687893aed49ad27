import { delimiter, resolve } from 'node:path';
import * as z from 'zod';
import { ConfigError, InputError } from '../../errors.ts';
import { readYaml } from '../../server/yaml.ts';
import { type ClusterEntry, readClusterEntry } from './cluster-entry.ts';
import { type Entry, optional, readFields } from './fields.ts';
import type { ReadFile } from './readings.ts';
import { anonymous, readUserEntry, type UserEntry } from './user-entry.ts';

/** Where a context leads, and how one logs in there. Two that say the same have the same JSON. */
export interface Context {
  readonly cluster: ClusterEntry;
  readonly user: UserEntry;
}

/** What a kubeconfig says of its contexts; for one that cannot be used, one sentence on why. */
export type Contexts = ReadonlyMap<string, Context | { readonly problem: string }>;

const KINDS = ['clusters', 'users', 'contexts'] as const;
type Kind = (typeof KINDS)[number];
type Entries = Readonly<Record<Kind, Map<string, Entry>>>;
/** The key under which an entry of that kind says what it says. */
const BODY = { clusters: 'cluster', users: 'user', contexts: 'context' } as const;

const list = optional(z.array(z.unknown()));
const top = z.looseObject({ clusters: list, users: list, contexts: list });
const named = z.looseObject({ name: z.string() });
const link = z.looseObject({ cluster: z.string().min(1), user: z.string().default('') });

/**
 * Loads the files of `KUBECONFIG` as kubectl does: paths with `:` between them, of which missing ones are skipped; what
 * the first file says under a name counts, and its relative paths begin at its own folder. Throws a ConfigError when
 * none of the files is there, or one of them is no kubeconfig; an entry that is wrong costs only its contexts.
 */
export async function loadKubeconfig(paths: string, read: ReadFile): Promise<Contexts> {
  const entries: Entries = { clusters: new Map(), users: new Map(), contexts: new Map() };
  const files = paths.split(delimiter).filter((path) => path !== '');
  const found = await Promise.all(files.map((file) => loadFile(resolve(file), read)));
  const there = found.filter((file) => file !== undefined);
  if (there.length === 0) throw problem(`${paths} is not there; give the path of a kubeconfig`);
  for (const each of there) {
    for (const kind of KINDS) {
      for (const [name, entry] of each[kind]) {
        if (!entries[kind].has(name)) entries[kind].set(name, entry);
      }
    }
  }
  const contexts = [...entries.contexts.keys()].map(
    async (name) => [name, await contextNamed(name, entries)] as const,
  );
  return new Map(await Promise.all(contexts));
}

/** The entries of one file; undefined when there is no such file. */
async function loadFile(file: string, read: ReadFile): Promise<Entries | undefined> {
  try {
    const text = await read(file);
    if (text === undefined) return undefined;
    const lists = about(file, () => readFields(top, readYaml(text, { schema: 'failsafe' })));
    const entriesOf = (kind: Kind) => {
      const entries = new Map<string, Entry>();
      for (const item of lists[kind] ?? []) {
        // Nobody can name what has no name.
        const { data } = named.safeParse(item);
        if (data === undefined) continue;
        const value = entries.has(data.name) ? TWICE : data[BODY[kind]];
        entries.set(data.name, { file, value, read });
      }
      return entries;
    };
    return { clusters: entriesOf('clusters'), users: entriesOf('users'), contexts: entriesOf('contexts') };
  } catch (error) {
    throw error instanceof InputError ? problem(error.message) : error;
  }
}

/** Stands where one file has two entries of a name: kubectl takes neither. */
const TWICE = Symbol('twice');

async function contextNamed(name: string, entries: Entries): Promise<Context | { readonly problem: string }> {
  const reading = async <T>(kind: Kind, entryName: string, use: (entry: Entry) => T | Promise<T>) => {
    const entry = entries[kind].get(entryName);
    if (entry === undefined) throw new InputError(`there is no entry "${entryName}" in ${kind}`);
    try {
      if (entry.value === TWICE) throw new InputError('stands there twice');
      return await use(entry);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(`${entry.file}: ${kind}: "${entryName}": ${error.message}`);
    }
  };
  try {
    const { cluster: clusterName, user: userName } = await reading('contexts', name, ({ value }) =>
      readFields(link, value),
    );
    const cluster = await reading('clusters', clusterName, readClusterEntry);
    if (userName === '') return { cluster, user: anonymous };
    const user = await reading('users', userName, readUserEntry);
    return { cluster, user };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { problem: `KUBECONFIG: ${error.message}` };
  }
}

function about<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${file}: ${error.message}`) : error;
  }
}

function problem(sentence: string): ConfigError {
  return new ConfigError([`KUBECONFIG: ${sentence}`]);
}
