import { readFile, stat } from 'node:fs/promises';
import { InputError } from '../../errors.ts';

/** The text of a file; undefined when there is none. Throws an InputError that says why it cannot be read. */
export type ReadFile = (path: string) => Promise<string | undefined>;

/** What was read by one loading of the kubeconfig. */
export type Readings = ReturnType<typeof createReadings>;

/** No kubeconfig, certificate or token is as large; bytes. */
const LARGEST = 1024 * 1024;

/**
 * Makes a reader that remembers what it has read. Files are compared by what they say: that finds a file that was written
 * in place, one that was replaced, and one that is reached through a link that now leads elsewhere, as in the volumes of
 * Kubernetes.
 */
export function createReadings() {
  const seen = new Map<string, Reading>();
  return {
    async read(path: string): Promise<string | undefined> {
      const found = await readingOf(path);
      seen.set(path, found);
      if (found.problem !== undefined) throw new InputError(`${path} ${found.problem}`);
      return found.text;
    },
    /** Whether any of the files says something else now. */
    async haveChanged(): Promise<boolean> {
      const changes = [...seen].map(async ([path, before]) => {
        const { text, problem } = await readingOf(path);
        return text !== before.text || problem !== before.problem;
      });
      return (await Promise.all(changes)).includes(true);
    },
  };
}

interface Reading {
  readonly text?: string;
  readonly problem?: string;
}

async function readingOf(path: string): Promise<Reading> {
  try {
    const found = await stat(path);
    if (!found.isFile()) return { problem: 'is not a file' };
    if (found.size > LARGEST) return { problem: `is larger than ${LARGEST} bytes` };
    return { text: await readFile(path, 'utf8') };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? {} : { problem: `cannot be read (${code})` };
  }
}
