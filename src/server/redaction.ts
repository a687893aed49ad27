/** What stands where a secret stood. */
export const HIDDEN = '[secret]';

/** Field names whose value is never written. Longer names that end in one of them count too, e.g. `signingKey`. */
export const secretNames = [
  'token',
  'access_token',
  'accessToken',
  'secret',
  'corpsecret',
  'key',
  'password',
  'authorization',
  'cookie',
  'signature',
  'echostr',
  'encrypt',
  'Encrypt',
] as const;

const SECRET_NAME = new RegExp(`(?:${secretNames.join('|')})s?$`, 'i');
const DEPTH = 6;

/** The value without what its field names call secret, at any depth down to six; deeper is cut off. Errors are left alone. */
export function hideSecrets(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Error) return value;
  if (depth >= DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.map((item) => hideSecrets(item, depth + 1));
  if (!isPlain(value)) return value;
  const shown: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) {
    shown[name] = SECRET_NAME.test(name) ? HIDDEN : hideSecrets(field, depth + 1);
  }
  return shown;
}

/** The text without the queries and logins of addresses and without signed tokens; each pattern runs in linear time. */
export function hideSecretsInText(text: string): string {
  // Most lines have none of these; to look for a character costs far less than to try a pattern.
  if (!text.includes('?') && !text.includes('//') && !text.includes('eyJ')) return text;
  return text.replace(QUERY, `?${HIDDEN}`).replace(LOGIN, `//${HIDDEN}@`).replace(SIGNED_TOKEN, HIDDEN);
}

const QUERY = /\?[^\s?="'\\]{1,64}=[^\s"'\\]*/g;
const LOGIN = /\/\/[^\s/@"'\\]{1,512}@/g;
const SIGNED_TOKEN = /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+/g;

const PATH = 200;

/** The path of a URL as a log may have it: no query, also none that was encoded once too often, one line, at most 200 characters. */
export function pathOnly(url = ''): string {
  const [path = ''] = url.slice(0, PATH).split(/[?#;]|%3f/i);
  return path.replace(/[^!-~]/g, '?');
}

/** Whether a value is a plain record. Others, such as a request, a socket or a `Secret`, are serialised by their own methods. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !('toJSON' in value);
}
