import { InputError } from '../errors.ts';
import { hostOf, loginOf, readUrl } from './address.ts';

/** One Redis server, as ioredis takes it; without a port where none is written. */
export type RedisAddress = ReturnType<typeof readRedisAddress>;

/**
 * Reads `redis://<user>:<password>@<host>:<port>/<number>`, `rediss://` for TLS. ioredis would take any option from an address, and every
 * word for a database. Throws an InputError that goes on from the name of a setting.
 */
export function readRedisAddress(text: string) {
  const url = readUrl(text, ['redis:', 'rediss:']);
  const { username, password } = loginOf(url);
  if (username !== undefined && password === undefined) {
    throw new InputError(
      'has a user without a password; write redis://<user>:<password>@… or redis://:<password>@…',
    );
  }
  if (url.search !== '') {
    const isTls = [...url.searchParams.keys()].some((key) => /ssl|tls/i.test(key));
    throw new InputError(
      isTls
        ? 'has TLS as a parameter, which nothing here obeys; remove it, and begin with rediss:// for TLS'
        : 'has a parameter, which nothing here obeys; remove it, or write %3F for a ? in a login',
    );
  }
  const [, number] = /^\/?(0|[1-9]\d{0,4})?$/.exec(url.pathname) ?? [];
  if (number === undefined && url.pathname.length > 1) {
    throw new InputError('must end in /<number>, that of a database, or in no path');
  }
  return {
    host: hostOf(url),
    ...(url.port !== '' && { port: Number(url.port) }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    db: Number(number ?? 0),
    ...(url.protocol === 'rediss:' && { tls: {} }),
  };
}
