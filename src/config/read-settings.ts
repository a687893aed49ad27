import { ConfigError, InputError } from '../errors.ts';
import { readTextFile } from '../server/text-file.ts';
import type { Setting, Settings, ValuesOf } from './setting.ts';
import { about, problemsOf } from './text.ts';

/** What a process was started with: `process.env`, or a plain object in a test. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** More than any key or list of keys takes. */
const SECRET_BYTES = 64 * 1024;

/**
 * The values of these settings, frozen; an empty variable counts as unset, and `X_FILE` may name the file of a secret.
 * Throws one ConfigError that lists every problem with the variable and the remedy, and shows no secret.
 */
export function readSettings<S extends Settings>(settings: S, env: Environment): ValuesOf<S> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [field, setting] of Object.entries(settings)) {
    try {
      values[field] = readSetting(setting, env);
    } catch (error) {
      problems.push(...problemsOf(error));
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return Object.freeze(values) as ValuesOf<S>;
}

function readSetting(setting: Setting, env: Environment): unknown {
  const { name } = setting;
  const text = readText(setting, env);
  if (text === undefined) {
    const orFile = setting.file ? ` (or ${name}_FILE to a file that holds it)` : '';
    throw new InputError(`${name} is not set. ${setting.about} Set it${orFile}, e.g. ${setting.example}`);
  }
  return about(name, () => setting.read(text));
}

function readText(setting: Setting, env: Environment): string | undefined {
  const { name, file: mayBeFile, fallback } = setting;
  const file = mayBeFile ? env[`${name}_FILE`] || undefined : undefined;
  const inline = readInline(setting, env);
  if (file === undefined) return inline ?? fallback;
  if (inline !== undefined) throw new InputError(`${name} and ${name}_FILE are both set; remove one of them`);
  return about(`${name}_FILE`, () => readSecretFile(file));
}

function readInline({ name, isInLowerCaseToo }: Setting, env: Environment): string | undefined {
  const text = env[name] || undefined;
  const lower = (isInLowerCaseToo && env[name.toLowerCase()]) || undefined;
  if (text !== undefined && lower !== undefined && text !== lower) {
    throw new InputError(
      `${name} and ${name.toLowerCase()} are both set, each to another value; remove one of them`,
    );
  }
  return text ?? lower;
}

/** The text in the file of a secret, without the line end behind it. Throws an InputError that goes on from "… names". */
export function readSecretFile(file: string): string {
  const text = readTextFile(file, SECRET_BYTES).trim();
  if (text === '') throw new InputError(`names an empty file, ${file}; write the value into it`);
  return text;
}
