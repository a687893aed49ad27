import * as z from 'zod';
import type { Environment } from '../../config.ts';
import { ConfigError, InputError } from '../../errors.ts';
import { readYaml } from '../../server/yaml.ts';
import type { Commands } from './commands.ts';
import { inputsForm } from './inputs.ts';

/** What the declarations of one process are read with. */
export interface DeclaredParts {
  /** What is there for operations of the environment; undefined for whoever runs none, and so needs no secret. */
  readonly environment: Environment | undefined;
  /** What runs programs on this machine; left out by whoever runs none. */
  readonly commands?: Commands;
}

/** What every declaration says, whatever its kind. */
const common = {
  title: z.string().min(1),
  /** `dual` needs a second person. */
  risk: z
    .enum(['read', 'low', 'high', 'dual'], { error: 'is read, low, high or dual' })
    .refine((risk) => risk !== 'dual', {
      error:
        '`dual` needs the approval of a second person, which this version does not have; write high until then',
    }),
  /** The only units in which there is such an operation; all where it is left out. */
  units: z.array(z.string()).min(1).optional(),
  /** Operations that its user must be allowed as well. */
  needs: z.array(z.string()).min(1).optional(),
  limits: z
    .strictObject({
      /** So many may run at the same time, over all replicas and units. */
      running: z.int().min(1).optional(),
      /** So many may begin in an hour. */
      perHour: z.int().min(1).optional(),
    })
    .optional(),
  input: inputsForm,
};

/** A declaration of one kind: what all have, and what stands under the name of the kind. */
export type Declaration<K> = Readonly<z.infer<z.ZodObject<typeof common>>> & { readonly kind: K };

/**
 * Reads the text of a declaration whose own part has the form `own`. Throws a ConfigError of every problem, each with its
 * place in the file.
 */
export function readDeclaration<K extends string, O extends z.ZodType>(
  text: string,
  kind: K,
  own: O,
): Omit<Declaration<K>, 'kind'> & { readonly own: z.infer<O> } {
  const { [kind]: part, ...rest } = mapOf(text);
  const read = z.strictObject({ ...common, kind: z.literal(kind) }).safeParse(rest);
  const readOwn = own.safeParse(part);
  const issues = [
    ...(read.error?.issues ?? []),
    ...(readOwn.error?.issues ?? []).map((issue) => ({ ...issue, path: [kind, ...issue.path] })),
  ];
  if (!read.success || !readOwn.success) {
    // What is wrong with a name of a map is said inside.
    const said = issues.map((issue) => {
      const [inner] = issue.code === 'invalid_key' ? issue.issues : [];
      return `${issue.path.join('.') || 'the file'}: ${inner?.message ?? issue.message}`;
    });
    throw new ConfigError(said);
  }
  return { ...read.data, own: readOwn.data };
}

/** The kind that a declaration says it has; undefined where it says none. Throws a ConfigError for what is no YAML. */
export function kindOf(text: string): unknown {
  return mapOf(text).kind;
}

function mapOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value = readYaml(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
    throw new InputError('says nothing');
  } catch (error) {
    throw error instanceof InputError ? new ConfigError([`the file ${error.message}`]) : error;
  }
}

/** What a part of a declaration says; an InputError goes to the problems, under its place. */
export function readOr<T>(read: () => T, at: string, problems: string[]): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    problems.push(`${at}: ${error.message}`);
    return undefined;
  }
}
