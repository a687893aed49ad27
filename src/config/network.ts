import { isIP } from 'node:net';
import { InputError } from '../errors.ts';
import { isLoopback, readUrl } from '../server/address.ts';
import { readMysqlAddress } from '../server/mysql-address.ts';
import { readRedisAddress } from '../server/redis-address.ts';
import { createSources } from '../server/sources.ts';
import { integer, readEach } from './text.ts';

/** A TCP port to listen on. */
export const port = integer(1, 65_535);

/** An address or host name to listen on. */
export function host(text: string): string {
  if (isIP(text) === 0 && !/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(text)) {
    throw new InputError(`must be an address such as 127.0.0.1 or 0.0.0.0, not "${text}"`);
  }
  return text;
}

/** Addresses and CIDRs, separated by commas; at least one, and none that stands for the whole internet. */
export function cidrs(text: string): readonly string[] {
  const list = words(text);
  readEach(list, (each) => createSources([each]));
  return list;
}

/**
 * The word `wecom`, which stands for the ranges that WeCom itself publishes (getcallbackip, protocol §4.7), addresses and
 * CIDRs, separated by commas.
 */
export function callbackSources(text: string) {
  const list = words(text);
  const addresses = list.filter((word) => word !== 'wecom');
  readEach(addresses, (each) => createSources([each]));
  return Object.freeze({ wecom: addresses.length < list.length, cidrs: Object.freeze(addresses) });
}

/** The remark that allows plain http to another machine, written behind the address. */
const PLAIN_HTTP = '?plain-http';

/**
 * Takes the address of an API, whose own paths begin with `own`: https, or http on loopback. A path in it, such as that of a gateway,
 * stands before these; it comes back without a slash at its end.
 */
export function httpsUrl(own: string): (text: string) => string {
  return (text) => webUrl(text, { own, refusal: 'must be https: plain http is for loopback only' });
}

/** As `httpsUrl`; plain http to another machine is taken when the address ends in `?plain-http`, so that nobody does it unknowingly. */
export function internalUrl(own: string): (text: string) => string {
  return (text) => {
    if (!text.endsWith(PLAIN_HTTP)) {
      const refusal = `must be https; where the network between is trusted, write ${PLAIN_HTTP} behind an http address`;
      return webUrl(text, { own, refusal });
    }
    if (/^https:/i.test(text)) {
      throw new InputError(`begins with https:// and ends in ${PLAIN_HTTP}; take one of them off`);
    }
    return webUrl(text.slice(0, -PLAIN_HTTP.length), { own });
  };
}

/** The address of a proxy for HTTP, with a login or without; nothing for none. */
export function proxyUrl(text: string): string {
  if (text === '') return text;
  const url = readUrl(text, ['http:', 'https:']);
  if (url.pathname !== '/' || url.search !== '') {
    throw new InputError('must be <scheme>://<host>:<port>, without a path or query behind it');
  }
  return text;
}

/** The address of a MySQL server; the text comes back as it is. */
export function mysqlUrl(text: string): string {
  readMysqlAddress(text);
  return text;
}

/** The address of a database on a MySQL server; the text comes back as it is. */
export function mysqlDatabaseUrl(text: string): string {
  if (readMysqlAddress(text).database === undefined) throw new InputError('must end in /<database>');
  return text;
}

/** The address of a Redis; the text comes back as it is. */
export function redisUrl(text: string): string {
  readRedisAddress(text);
  return text;
}

/** `refusal` is what plain http to another machine is told; without it that is taken. */
function webUrl(text: string, { own, refusal }: { readonly own: string; readonly refusal?: string }): string {
  const url = readUrl(text, ['https:', 'http:']);
  if (refusal !== undefined && url.protocol === 'http:' && !isLoopback(url)) throw new InputError(refusal);
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    throw new InputError('must be a plain address, without a login or query');
  }
  const path = url.pathname.replace(/\/+$/, '');
  if (path.endsWith(`/${own}`)) {
    throw new InputError(`must not end in /${own}, which is put behind it; take that off`);
  }
  return `${url.origin}${path}`;
}

function words(text: string): readonly string[] {
  const list = text.split(',').map((word) => word.trim());
  const named = list.filter((word) => word !== '');
  if (named.length === 0) throw new InputError('is an empty list; name at least one address');
  return Object.freeze(named);
}
