import { ConfigError } from '../errors.ts';
import type { Sources } from '../server/module-folder.ts';
import { type Limits, startProcess } from './process.ts';

/**
 * Takes the types from files, in a process of its own that is gone afterwards: what does that breaks for good on some
 * texts, and it has memory that is of no use once it is done. Throws a ConfigError of the first file that has no good text.
 */
export function stripTypes({ generation, files }: Sources, limits: Limits): Promise<Sources> {
  const { promise, resolve, reject } = Promise.withResolvers<Sources>();
  const stripping = startProcess<never>({
    first: { strip: [...files] },
    limits,
    onMessage(message) {
      if ('stripped' in message) resolve({ generation, files: new Map(message.stripped) });
      if ('problems' in message) reject(new ConfigError(message.problems));
      stripping.end('it has done its work');
    },
    onEnded: ({ why }) => reject(new ConfigError([why])),
  });
  return promise;
}
