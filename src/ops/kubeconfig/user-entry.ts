import { createSecureContext } from 'node:tls';
import * as z from 'zod';
import { InputError } from '../../errors.ts';
import { type Entry, flag, optional, pathIn, pemIn, readFields, textIn } from './fields.ts';

/** What is sent to a cluster to be let in. */
export interface Login {
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** A program that gives out credentials. */
export type PluginEntry = Omit<z.infer<typeof plugin>, 'env'> & {
  readonly env: Readonly<Record<string, string>>;
};

/** How somebody logs in to a cluster. */
export interface UserEntry {
  /** All that stands in the entry and its files; a plug-in adds to it. */
  readonly login: Login;
  readonly plugin: PluginEntry | undefined;
}

const text = optional(z.string());
const texts = optional(z.array(z.string()));
const plugin = z
  .strictObject({
    apiVersion: z.enum(['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']),
    command: z.string().min(1),
    args: texts,
    env: optional(z.array(z.strictObject({ name: z.string().min(1), value: z.string() }))),
    installHint: text,
    interactiveMode: optional(z.enum(['Never', 'IfAvailable', 'Always'])),
    provideClusterInfo: optional(flag),
  })
  .refine(({ apiVersion, interactiveMode }) => interactiveMode ?? apiVersion.endsWith('beta1'), {
    path: ['interactiveMode'],
    error: 'must be Never or IfAvailable',
  })
  .refine(({ interactiveMode }) => interactiveMode !== 'Always', {
    path: ['interactiveMode'],
    error: 'Always needs somebody at a terminal, and here is none',
  });
const form = z.strictObject({
  'client-certificate': text,
  'client-certificate-data': text,
  'client-key': text,
  'client-key-data': text,
  token: text,
  tokenFile: text,
  as: text,
  'as-uid': text,
  'as-groups': texts,
  'as-user-extra': optional(z.record(z.string().min(1), z.array(z.string()))),
  'auth-provider': optional(z.unknown()),
  exec: optional(plugin),
  extensions: optional(z.unknown()),
});
type Fields = z.infer<typeof form>;

/** The login of a context without a user. */
export const anonymous: UserEntry = {
  login: { headers: {}, cert: undefined, key: undefined },
  plugin: undefined,
};

/** Reads an entry of `users`. Throws an InputError that names the fields that are wrong. */
export async function readUserEntry(entry: Entry): Promise<UserEntry> {
  const fields = readFields(form, entry.value);
  checkOneWay(fields);
  const pair = await readPair(entry, fields);
  const authorization = await authorizationOf(entry, fields);
  return {
    login: {
      headers: { ...authorization, ...impersonation(fields) },
      ...pair,
    },
    plugin: fields.exec && {
      ...fields.exec,
      // A bare name is looked for on the PATH, as by a shell.
      command: fields.exec.command.includes('/') ? pathIn(entry, fields.exec.command) : fields.exec.command,
      env: Object.fromEntries((fields.exec.env ?? []).map(({ name, value }) => [name, value])),
    },
  };
}

/** The header of a token; anything else than visible characters could not be sent. Throws an InputError that does not show it. */
export function bearer(token: string): { readonly authorization: string } {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new InputError('the token has characters that no token has');
  return { authorization: `Bearer ${token}` };
}

/** The headers of who is acted as, as kubectl writes them. */
function impersonation(fields: Fields): Login['headers'] {
  const { as, 'as-uid': uid, 'as-groups': groups, 'as-user-extra': extra } = fields;
  if (as === undefined) {
    const alone = IMPERSONATION.filter((field) => fields[field] !== undefined);
    if (alone.length > 0) throw new InputError(`${alone.join(', ')}: needs "as", the user to act as`);
    return {};
  }
  const more = Object.entries(extra ?? {}).map(([key, values]) => [
    `Impersonate-Extra-${encodeURIComponent(key).replace(/[()]/g, percent)}`,
    values.map((value) => headerValue('as-user-extra', value)),
  ]);
  return {
    'Impersonate-User': headerValue('as', as),
    ...(uid !== undefined && { 'Impersonate-Uid': headerValue('as-uid', uid) }),
    ...(groups && { 'Impersonate-Group': groups.map((group) => headerValue('as-groups', group)) }),
    ...Object.fromEntries(more),
  };
}

const IMPERSONATION = ['as-uid', 'as-groups', 'as-user-extra'] as const;
const percent = (sign: string): string => `%${sign.charCodeAt(0).toString(16)}`;

/** A text as the bytes of a header are written: in UTF-8, one character for each byte. */
function headerValue(field: string, text: string): string {
  if (/\p{Cc}/u.test(text)) throw new InputError(`${field}: has control characters, which cannot be sent`);
  return Buffer.from(text).toString('latin1');
}

/** Throws an InputError when certificate and key do not belong together, or only one of them is there. */
export function checkPair(cert: string | undefined, key: string | undefined): void {
  if (cert === undefined && key === undefined) return;
  if (cert === undefined || key === undefined) {
    throw new InputError('client-certificate and client-key: one is there without the other');
  }
  try {
    createSecureContext({ cert, key });
  } catch (error) {
    throw new InputError(
      `client-certificate and client-key: cannot be used (${(error as NodeJS.ErrnoException).code})`,
    );
  }
}

function checkOneWay(fields: Fields): void {
  if (fields['auth-provider'] !== undefined) {
    throw new InputError('auth-provider: is not supported; use exec, tokenFile, or a client certificate');
  }
  if ((fields.token ?? fields.tokenFile) !== undefined && fields.exec !== undefined) {
    throw new InputError('token, exec: only one of them may be there');
  }
}

async function readPair(entry: Entry, fields: Fields): Promise<Pick<Login, 'cert' | 'key'>> {
  const [cert, key] = await Promise.all(
    (['client-certificate', 'client-key'] as const).map((field) => {
      const data = fields[`${field}-data`];
      const path = fields[field];
      if (data !== undefined && path !== undefined) {
        throw new InputError(`${field}, ${field}-data: only one of them may be there`);
      }
      return pemIn(entry, field, { data, path });
    }),
  );
  checkPair(cert, key);
  return { cert, key };
}

async function authorizationOf(entry: Entry, fields: Fields): Promise<Login['headers']> {
  const { token, tokenFile } = fields;
  if (tokenFile !== undefined) return bearer(await textIn(entry, 'tokenFile', tokenFile));
  return token === undefined ? {} : bearer(token.trim());
}
