import * as z from 'zod';
import type { Environment } from '../../config.ts';
import { InputError } from '../../errors.ts';
import { readTextFile } from '../../server/text-file.ts';

const FILE_BYTES = 64 * 1024;

const secret = z.union([
  z.strictObject({ env: z.string().regex(/^[A-Za-z_]\w{0,99}$/, 'is no name of a variable') }),
  z.strictObject({ file: z.string().regex(/^\//, 'is a path that begins with /') }),
]);

/** Secrets as a declaration names them; their names are in capitals, so that none is taken for an input. */
export const secretsForm = z
  .record(z.string().regex(/^[A-Z][A-Z0-9_]{0,39}$/, 'is no name: capitals, digits and _'), secret)
  .default({});

/** The values of secrets by their names. */
export type SecretValues = Readonly<Record<string, string>>;

/**
 * Makes what reads these secrets, anew each time: a file that is replaced counts from then on. A variable may be set, or
 * `<name>_FILE` to a file that holds it, as Keypad's own settings may. It throws an InputError that names the secret and
 * the remedy, without any of its value.
 */
export function createSecrets(declared: z.infer<typeof secretsForm>, environment: Environment) {
  return (): SecretValues =>
    Object.fromEntries(
      Object.entries(declared).map(([name, from]) => [name, secretOf(name, from, environment)]),
    );
}

function secretOf(name: string, from: z.infer<typeof secret>, environment: Environment): string {
  const value =
    'file' in from ? textOf(`the secret ${name}`, from.file) : variable(name, from.env, environment);
  if (/^[\x20-\x7e]+$/.test(value)) return value;
  throw new InputError(`the secret ${name} is empty or not one line of ASCII; write it anew`);
}

function variable(name: string, variable: string, environment: Environment): string {
  const value = environment[variable];
  const file = environment[`${variable}_FILE`];
  if (value) return value.trim();
  if (file) return textOf(`${variable}_FILE`, file);
  throw new InputError(
    `the secret ${name} is missing: ${variable} is not set; set it (or ${variable}_FILE to a file that holds it). What Keypad itself is set with is given to no operation`,
  );
}

function textOf(what: string, file: string): string {
  try {
    return readTextFile(file, FILE_BYTES).trim();
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${what} ${error.message}`) : error;
  }
}

/** A text without these secrets, which a service may repeat in its answer. */
export function withoutSecrets(text: string, secrets: SecretValues): string {
  // The longest first: of one that begins like another nothing may be left.
  const longest = Object.values(secrets).sort((a, b) => b.length - a.length);
  return longest.reduce((left, each) => left.replaceAll(each, '***'), text);
}
