import { InputError } from '../../errors.ts';
import { type FileReading, readFile } from '../../server/text-file.ts';

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
  const seen = new Map<string, FileReading>();
  return {
    async read(path: string): Promise<string | undefined> {
      const found = readFile(path, LARGEST);
      seen.set(path, found);
      if (found.problem !== undefined && !found.isMissing) throw new InputError(`${path} ${found.problem}`);
      return found.text;
    },
    /** Whether any of the files says something else now. */
    async haveChanged(): Promise<boolean> {
      const changes = [...seen].map(([path, before]) => {
        const { text, problem } = readFile(path, LARGEST);
        return text !== before.text || problem !== before.problem;
      });
      return changes.includes(true);
    },
  };
}
