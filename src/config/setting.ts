import { inspect } from 'node:util';

/** One environment variable: what it means, and how its text becomes a value. */
export interface Setting<T = unknown> {
  /** The name of the variable. */
  readonly name: string;
  /** One or two sentences for the person who sets it; they stand in `.env.example`. */
  readonly about: string;
  /** A plausible value; for a secret, how to get one. */
  readonly example: string;
  /** What an unset variable means. Without it the variable must be set. */
  readonly fallback?: string;
  /** The name counts in lower-case letters too, as other programs write it. */
  readonly isInLowerCaseToo?: true;
  /** `X_FILE` may name a file that holds the text. */
  readonly file?: true;
  /** Throws an InputError that says what is wrong and what to write instead. */
  read(text: string): T;
}

/** Some settings, each under the name of its field in the configuration. */
export type Settings = Readonly<Record<string, Setting>>;

/** The values of some settings under the names of their fields. */
export type ValuesOf<S extends Settings> = { readonly [K in keyof S]: ReturnType<S[K]['read']> };

/** A value that only `reveal` gives away: logged, printed, spread or made into JSON it says `[secret]`. */
export type Secret<T = string> = ReturnType<typeof createSecret<T>>;

/** Wraps a value so that it cannot be printed by accident. */
export function createSecret<T>(value: T) {
  const hidden = () => '[secret]';
  return Object.freeze({ reveal: () => value, toJSON: hidden, toString: hidden, [inspect.custom]: hidden });
}

/** A secret: it may come from a file, and is read into something that cannot be printed. */
export function secret<T>({ read, ...rest }: Omit<Setting<T>, 'file'>): Setting<Secret<T>> {
  return { ...rest, file: true, read: (text) => createSecret(read(text)) };
}
