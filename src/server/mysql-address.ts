import { isIP } from 'node:net';
import { InputError } from '../errors.ts';
import { hostOf, loginOf, readUrl } from './address.ts';

/** MySQL's own words, and how TLS is to be made for each: none, any certificate, one of a known CA, one of the name called. */
const SSL_MODES = {
  DISABLED: undefined,
  REQUIRED: { rejectUnauthorized: false },
  VERIFY_CA: { rejectUnauthorized: true },
  VERIFY_IDENTITY: { rejectUnauthorized: true, verifyIdentity: true },
} as const;

/**
 * Reads `mysql://<user>:<password>@<host>:<port>/<database>?ssl-mode=<mode>` into options of mysql2, which would take any option from an
 * address and drop the words for TLS that it does not know. Throws an InputError that goes on from the name of a setting.
 */
export function readMysqlAddress(text: string) {
  const url = readUrl(text, ['mysql:']);
  const { username: user, password } = loginOf(url);
  const [, database = ''] = /^\/?([^/]*)$/.exec(decodeURIComponent(url.pathname)) ?? [];
  if (database === '' && url.pathname.length > 1) {
    throw new InputError('must end in /<database>, one name without a / in it');
  }
  const host = hostOf(url);
  const ssl = readSslMode(url.searchParams);
  if (ssl !== undefined && 'verifyIdentity' in ssl && isIP(host) !== 0) {
    throw new InputError(
      'has ssl-mode=VERIFY_IDENTITY, which checks a name; write the host by its name, or ssl-mode=VERIFY_CA',
    );
  }
  return {
    host,
    port: Number(url.port || 3306),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(database !== '' && { database }),
    // One of its own for each pool: mysql2 writes into it.
    ...(ssl !== undefined && { ssl: { ...ssl } }),
  };
}

/** Nothing else of the address is named in the sentences: with a ? in its password it would be a part of that. */
function readSslMode(params: URLSearchParams) {
  const [entry, second] = [...params];
  if (entry === undefined) return undefined;
  const [key, value] = entry;
  const mode = value.toUpperCase();
  if (key !== 'ssl-mode' || second !== undefined) {
    const isTls = [...params.keys()].some((each) => /ssl|tls/i.test(each));
    throw new InputError(
      isTls
        ? 'must say how TLS is made with ssl-mode alone; write ?ssl-mode=VERIFY_IDENTITY behind the database'
        : 'has a parameter that nothing here obeys; remove it (only ssl-mode is known), or write %3F for a ? in a login',
    );
  }
  if (!Object.hasOwn(SSL_MODES, mode)) {
    throw new InputError(`must have one of ${Object.keys(SSL_MODES).join(', ')} as its ssl-mode`);
  }
  return SSL_MODES[mode as keyof typeof SSL_MODES];
}
