import { ConfigError, InputError } from '../src/errors.ts';

/** What the system answers when a file cannot be written, and what to do about it. */
const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: free some space',
  EDQUOT: 'your share of the disk is used up: free some space',
  EROFS: 'it is on a disk that is mounted read-only: use a copy of the project on another one',
  EACCES: 'it belongs to somebody else: use a copy of the project of your own',
  EPERM: 'it belongs to somebody else: use a copy of the project of your own',
};

/**
 * What a person reads when the demo cannot run: one sentence for a taken port, a bad setting, or a disk that takes
 * nothing. Anything else is a bug and shows where.
 */
export function explain(error: unknown): unknown {
  if (error instanceof InputError || error instanceof ConfigError) return error.message;
  const { code = '', path } = error as NodeJS.ErrnoException;
  const remedy = REMEDIES[code];
  if (remedy === undefined) return error;
  return `The demo cannot write ${path ?? 'its data'}; ${remedy}.`;
}
