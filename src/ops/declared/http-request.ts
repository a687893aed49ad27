import * as z from 'zod';
import { encoded, type ServiceRequest } from '../targets/service.ts';
import type { Values } from './inputs.ts';
import type { SecretValues } from './secrets.ts';
import { createReader, type Findings, type Read, type Scope } from './template.ts';

const status = z.int().min(200).max(599);

/** A request as a declaration has it. */
export const requestForm = {
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).default('GET'),
  path: z.string().regex(/^\/[\w\-./~!$&'()*+,;=:@%{}]*$/, 'begins with /, and has no query behind it'),
  query: z.record(z.string().min(1).max(100), z.string()).default({}),
  headers: z.record(z.string(), z.string()).default({}),
  /** A text, or lists and maps that are sent as JSON. */
  body: z.union([z.string(), z.record(z.string(), z.json()), z.array(z.json())]).optional(),
  /** The statuses that are good; those from 200 to 299 when it is left out. */
  expect: z.array(status).min(1).optional(),
};
export type RequestForm = z.infer<z.ZodObject<typeof requestForm>>;

/** Makes a request of what was typed, and of the secrets. */
export type WriteRequest = (
  values: Values,
  secrets: SecretValues,
) => Pick<ServiceRequest, 'method' | 'path' | 'query' | 'headers' | 'body' | 'expects'>;

/** What belongs to a connection, or is made by what sends. */
const NOT_OURS =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|host|content-length|expect|date)$/i;
const LOGIN = /^(authorization|cookie)$/i;
const NAME = /^[!#$%&'*+\-.^_`|~\w]+$/;
const FORM = 'application/x-www-form-urlencoded';

/** Reads the templates of a request. What is wrong with it goes to the findings, under the place `at`. */
export function readRequest(form: RequestForm, scope: Scope, at: string, findings: Findings): WriteRequest {
  const read = createReader(scope, findings);
  for (const [place, text] of [['path', form.path], ...Object.entries(form.query).map(asQuery)] as const) {
    if (scope.secrets.some((name) => text.includes(`{${name}}`)))
      findings.problems.push(`${at}.${place}: a secret has no place in an address; send it in a header`);
  }
  const path = read(`${at}.path`, form.path, scope.values);
  const query = Object.entries(form.query).map(([name, text]) => {
    return [name, read(`${at}.query.${name}`, text, scope.values)] as const;
  });
  const headers = Object.entries(form.headers).map(([name, text]) => {
    checkHeader(name, text, `${at}.headers.${name}`, findings);
    const isLogin = LOGIN.test(name);
    return [name, read(`${at}.headers.${name}`, text, isLogin ? scope.secrets : undefined)] as const;
  });
  const type = Object.entries(form.headers).find(([name]) => /^content-type$/i.test(name))?.[1];
  const body = readBody(form.body, type, `${at}.body`, { read, findings });
  const { method, expect } = form;
  return (values, secrets) => {
    const write = (name: string): string => {
      const value = `${valueNamed(name, values, secrets)}`;
      return isSecret(name) ? value : encoded(value);
    };
    const written = body?.write(values, secrets);
    return {
      method,
      path: path.fill(write),
      query: Object.fromEntries(query.map(([name, text]) => [name, text.fill((each) => `${values[each]}`)])),
      headers: {
        ...(body && type === undefined && { 'content-type': body.type }),
        ...Object.fromEntries(headers.map(([name, text]) => [name, text.fill(write)])),
      },
      ...(written !== undefined && { body: written }),
      expects: expect && ((answered) => expect.includes(answered)),
    };
  };
}

export function checkHeader(name: string, text: string, at: string, { problems }: Findings): void {
  if (!NAME.test(name)) problems.push(`${at}: is no name of a header`);
  else if (NOT_OURS.test(name)) problems.push(`${at}: belongs to the connection; leave it out`);
  if (!/^[\x20-\x7e]*$/.test(text)) problems.push(`${at}: is not one line of ASCII`);
}

interface Body {
  readonly type: string;
  write(values: Values, secrets: SecretValues): string;
}

function readBody(
  form: RequestForm['body'],
  given: string | undefined,
  at: string,
  { read, findings }: { readonly read: Read; readonly findings: Findings },
): Body | undefined {
  if (form === undefined) return undefined;
  if (typeof form !== 'string') {
    const write = readJson(form, at, read);
    return { type: 'application/json', write: (...filled) => JSON.stringify(write(...filled)) };
  }
  const type = given ?? 'text/plain; charset=utf-8';
  const template = read(at, form);
  const isForm = type.toLowerCase().startsWith(FORM);
  if (template.names.length > 0 && !isForm && !/^text\/plain\b/i.test(type)) {
    findings.problems.push(
      `${at}: parts are put into the text of text/plain and ${FORM} only; write JSON as lists and maps`,
    );
  }
  const put = isForm ? encoded : (value: string) => value;
  return {
    type,
    write: (values, secrets) => template.fill((name) => put(`${valueNamed(name, values, secrets)}`)),
  };
}

function asQuery([name, text]: readonly [string, string]) {
  return [`query.${name}`, text] as const;
}

/** Names of secrets begin with a capital, those of inputs do not. */
function isSecret(name: string): boolean {
  return /^[A-Z]/.test(name);
}

function valueNamed(name: string, values: Values, secrets: SecretValues) {
  return isSecret(name) ? secrets[name] : values[name];
}

type WriteJson = (values: Values, secrets: SecretValues) => unknown;

/** A text in it is a template; one that is a part and nothing else becomes the value as it is, a number or a boolean too. */
function readJson(form: unknown, at: string, read: Read): WriteJson {
  if (typeof form === 'string') {
    const template = read(at, form);
    const [only = ''] = template.names;
    if (form === `{${only}}`) return (values, secrets) => valueNamed(only, values, secrets);
    return (values, secrets) => template.fill((name) => `${valueNamed(name, values, secrets)}`);
  }
  if (typeof form !== 'object' || form === null) return () => form;
  const parts = Object.entries(form).map(([name, part]) => {
    return [name, readJson(part, `${at}.${name}`, read)] as const;
  });
  return (...filled) => {
    const written = parts.map(([name, write]) => [name, write(...filled)] as const);
    return Array.isArray(form) ? written.map(([, value]) => value) : Object.fromEntries(written);
  };
}
