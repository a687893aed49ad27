import { isIP } from 'node:net';
import { InputError } from '../errors.ts';
import { createSources } from '../server/sources.ts';
import { integer } from './text.ts';

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
  createSources(list);
  return list;
}

/**
 * The word `wecom`, which stands for the ranges that WeCom itself publishes (getcallbackip, protocol §4.7), addresses and
 * CIDRs, separated by commas.
 */
export function callbackSources(text: string) {
  const list = words(text);
  const addresses = list.filter((word) => word !== 'wecom');
  createSources(addresses);
  return Object.freeze({ wecom: addresses.length < list.length, cidrs: Object.freeze(addresses) });
}

/** A web address: https, or http on loopback. No credentials, no query; it comes back without a slash at its end. */
export function httpsUrl(text: string): string {
  return webUrl(text, 'must be https: plain http is for loopback only');
}

/** The remark that allows plain http to another machine, written behind the address. */
const PLAIN_HTTP = '?plain-http';

/** As `httpsUrl`; plain http to another machine is taken when the address ends in `?plain-http`, so that nobody does it unknowingly. */
export function internalUrl(text: string): string {
  if (text.endsWith(PLAIN_HTTP)) return webUrl(text.slice(0, -PLAIN_HTTP.length));
  return webUrl(
    text,
    `must be https; where the network between is trusted, write ${PLAIN_HTTP} behind an http address`,
  );
}

/** The address of a server with a login in it, e.g. `redis://:password@host:6379`; `schemes` with their colon. */
export function serverUrl(schemes: readonly string[], path = /^/): (text: string) => string {
  return (text) => {
    const url = readUrl(text, schemes);
    if (url.hostname === '') throw new InputError('must name a host');
    if (!path.test(url.pathname)) throw new InputError('must end in /<database>');
    return text;
  };
}

function readUrl(text: string, schemes: readonly string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !schemes.includes(url.protocol)) {
    throw new InputError(`must be an address that begins with ${schemes.map((s) => `${s}//`).join(' or ')}`);
  }
  return url;
}

/** `refusal` is what plain http to another machine is told; without it that is taken. */
function webUrl(text: string, refusal?: string): string {
  const url = readUrl(text, ['https:', 'http:']);
  if (refusal !== undefined && url.protocol === 'http:' && !isLoopback(url)) throw new InputError(refusal);
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new InputError('must be a plain address, without login, query or #');
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

function words(text: string): readonly string[] {
  const list = text.split(',').map((word) => word.trim());
  const named = list.filter((word) => word !== '');
  if (named.length === 0) throw new InputError('is an empty list; name at least one address');
  return Object.freeze(named);
}
