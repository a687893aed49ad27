import { createSecret, type Secret } from './secret.ts';

/** Which role needs a setting; `all` means more than one. */
export type Audience = 'bot' | 'ops' | 'push' | 'all';

/** One environment variable: what it means, and how its text becomes a value. */
export interface Setting<T = unknown> {
  readonly audience: Audience;
  /** One or two sentences for the person who sets it; they stand in `.env.example`. */
  readonly about: string;
  /** A plausible value; for a secret, how to get one. */
  readonly example: string;
  /** What an unset variable means. Without it the variable must be set. */
  readonly fallback?: string;
  /** Its text must not be shown, not even in a problem. */
  readonly secret?: true;
  /** `X_FILE` may name a file that holds the text. */
  readonly file?: true;
  /** Throws an InputError that says what is wrong and what to write instead. */
  read(text: string): T;
}

/** A secret: it may come from a file, has no default, and is read into something that cannot be printed. */
export function secret<T>(
  parts: Pick<Setting<T>, 'audience' | 'about' | 'example' | 'read'>,
): Setting<Secret<T>> {
  const { read, ...rest } = parts;
  return { ...rest, secret: true, file: true, read: (text) => createSecret(read(text)) };
}
