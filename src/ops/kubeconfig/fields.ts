import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { InputError } from '../../errors.ts';
import type { ReadFile } from './readings.ts';

/**
 * One entry of a kubeconfig, and how files that it names are read. All scalars in `value` are texts as they were
 * written: a name may look like a number, and nothing is lost of it.
 */
export interface Entry {
  /** The kubeconfig it stands in. */
  readonly file: string;
  readonly value: unknown;
  readonly read: ReadFile;
}

/** How YAML says that there is nothing. */
const NOTHING: ReadonlySet<unknown> = new Set([undefined, null, '', '~', 'null', 'Null', 'NULL']);

/** A field that may be left out or empty. */
export function optional<T extends z.ZodType>(form: T) {
  return z.preprocess((value) => (NOTHING.has(value) ? undefined : value), form.optional());
}

/** A boolean in any of the spellings of YAML. */
export const flag = z
  .string()
  .regex(/^(true|false|yes|no|on|off)$/i, 'must be true or false')
  .transform((text) => /^(true|yes|on)$/i.test(text));

/** What an entry says in this form. Throws an InputError that names every field that is wrong, and quotes no value. */
export function readFields<T>(form: z.ZodType<T>, value: unknown): T {
  const read = form.safeParse(NOTHING.has(value) ? {} : value);
  if (read.success) return read.data;
  throw new InputError(
    read.error.issues
      .map((issue) => {
        const isUnknown = issue.code === 'unrecognized_keys';
        const fields = isUnknown
          ? issue.keys.map((key) => [...issue.path, key].join('.')).join(', ')
          : issue.path.join('.');
        return [fields, isUnknown ? 'is not supported here; take it out' : issue.message]
          .filter(Boolean)
          .join(': ');
      })
      .join('; '),
  );
}

/** A path of an entry: relative ones begin at the folder of the kubeconfig, as for kubectl. */
export function pathIn({ file }: Entry, path: string): string {
  return resolve(dirname(file), path);
}

/**
 * The PEM that stands in an entry as base64 under `<field>-data`, or in the file that `<field>` names. The former wins.
 * Throws an InputError when it is neither, or the file is not there.
 */
export async function pemIn(
  entry: Entry,
  field: string,
  { data, path }: { readonly data: string | undefined; readonly path: string | undefined },
): Promise<string | undefined> {
  if (data !== undefined) return checkedPem(`${field}-data`, Buffer.from(data, 'base64').toString());
  if (path === undefined) return undefined;
  return checkedPem(field, await textIn(entry, field, path));
}

/** What a file says that an entry names, without the space around it. Throws an InputError when that is nothing. */
export async function textIn(entry: Entry, field: string, path: string): Promise<string> {
  const where = pathIn(entry, path);
  const text = (await entry.read(where))?.trim();
  if (text) return text;
  throw new InputError(`${field}: ${where} ${text === undefined ? 'is not there' : 'is empty'}`);
}

function checkedPem(field: string, text: string): string {
  if (/-----BEGIN [A-Z0-9 ]+-----[\s\S]+-----END [A-Z0-9 ]+-----/.test(text)) return text;
  throw new InputError(`${field}: holds no PEM`);
}
