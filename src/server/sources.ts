import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv4, isIPv6, SocketAddress } from 'node:net';
import { InputError } from '../errors.ts';

/** A set of addresses that may call. */
export interface Sources {
  /** True when the address is in the set; IPv4-mapped IPv6 counts as IPv4, and what is no address is never in it. */
  allows(address: string): boolean;
}

/**
 * The set that plain addresses and CIDRs describe, e.g. `['10.0.0.0/8', '2001:db8::1']`; an empty list allows nobody.
 * Throws an InputError that names the first value which is no address, or a network so wide that it is no limit.
 */
export function createSources(cidrs: readonly string[]): Sources {
  const families = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const cidr of cidrs) {
    const network = readNetwork(cidr);
    families[network.family].addSubnet(network.address, network.prefix, network.family);
  }
  return {
    allows(address) {
      const plain = plainAddress(address);
      if (isIPv4(plain)) return families.ipv4.check(plain, 'ipv4');
      return isIPv6(plain) && families.ipv6.check(plain, 'ipv6');
    },
  };
}

/** Nobody owns a wider network than these; `0.0.0.0/0` or `0.0.0.0/1` in a list means that there is no list. */
const WIDEST = { ipv4: 8, ipv6: 7 };

function readNetwork(cidr: string) {
  const [, address = '', length] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(cidr) ?? [];
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  const longest = family === 'ipv4' ? 32 : 128;
  const prefix = Number(length ?? longest);
  if (isIP(address) === 0 || prefix > longest) {
    throw new InputError(`"${cidr}" is neither an address nor a CIDR; write it like 10.1.2.3 or 10.0.0.0/8`);
  }
  if (family === 'ipv6' && isIPv4(plainAddress(address))) {
    throw new InputError(`"${cidr}" is an IPv4 address written as IPv6; write it as plain IPv4`);
  }
  if (prefix < WIDEST[family]) {
    throw new InputError(`"${cidr}" lets in (nearly) the whole internet; name the networks that really call`);
  }
  return { address, prefix, family } as const;
}

/** The one form of an address: no zone, IPv6 as short as it goes, and IPv4-mapped IPv6 as the IPv4 address that it is. */
export function plainAddress(address: string): string {
  if (!isIPv6(address)) return address;
  const plain = new SocketAddress({ address: address.replace(/%.*$/, ''), family: 'ipv6' }).address;
  return plain.replace(/^::ffff:(?=\d+\.)/, '');
}

/** Where a request comes from. */
export interface Source {
  /** In its one form, without port and zone; where it is not known, words that are in no list. */
  readonly address: string;
  /** Why it is not known, and what to do about it; for the log. */
  readonly problem?: string;
}

/** Nobody has so many proxies behind one another. */
const MOST_PROXIES = 20;
/** The longest IPv6 address, with brackets, a zone and a port. */
const LONGEST_PART = 80;

/**
 * Makes what tells where a request comes from: the peer of its connection or, while that is one of these proxies (addresses
 * and CIDRs), whoever it names last in X-Forwarded-For, and so on to the left. What stands further left may be made up by
 * the caller and is not read, and neither is the header Forwarded. Where a proxy names no address the source is not known.
 */
export function createSourceReader(trustedProxies: readonly string[]): (request: IncomingMessage) => Source {
  const proxies = createSources(trustedProxies);
  const read = ({ socket, headers }: IncomingMessage): Source => {
    const peer = plainAddress(socket.remoteAddress ?? '');
    if (peer === '') return { address: 'unknown', problem: 'the connection was broken off; nothing to do' };
    const header = headers['x-forwarded-for'];
    if (header === undefined || !proxies.allows(peer)) return { address: peer };
    // Node joins headers of one name in their order.
    let list = `${header}`;
    let proxy = peer;
    for (let count = 0; count < MOST_PROXIES; count += 1) {
      const comma = list.lastIndexOf(',');
      const part = list.slice(comma + 1);
      const address = readForwarded(part);
      if (address === undefined) return unknownBehind(proxy, `has "${shown(part)}" in X-Forwarded-For`);
      if (comma < 0 || !proxies.allows(address)) return { address };
      list = list.slice(0, comma);
      proxy = address;
    }
    return unknownBehind(proxy, `stands behind ${MOST_PROXIES} others in X-Forwarded-For`);
  };
  // The address of a connection is no longer known when it is closed, and its request may still have a line to be written.
  const known = new WeakMap<IncomingMessage, Source>();
  return (request) => {
    const source = known.get(request) ?? read(request);
    known.set(request, source);
    return source;
  };
}

function unknownBehind(proxy: string, what: string): Source {
  const remedy = 'let each proxy append the address that it is called from, and nothing else';
  return { address: `unknown behind ${proxy}`, problem: `the trusted proxy ${proxy} ${what}; ${remedy}` };
}

/** One part of X-Forwarded-For, with or without port and brackets; undefined for anything but an address. */
function readForwarded(part: string): string | undefined {
  if (part.length > LONGEST_PART) return undefined;
  const text = part.replace(/^[ \t]+|[ \t]+$/g, '');
  const [, host = text, port = '0'] = /^(\[.+\]|[\d.]+):(\d{1,5})$/.exec(text) ?? [];
  const [, bracketed] = /^\[(.+)\]$/.exec(host) ?? [];
  const isAddress = bracketed === undefined ? isIP(host) > 0 : isIPv6(bracketed);
  return isAddress && Number(port) <= 65_535 ? plainAddress(bracketed ?? host) : undefined;
}

/** What stood there, as far as a log can bear it. */
function shown(part: string): string {
  return part
    .trim()
    .slice(0, 40)
    .replace(/[^\w.:[\]%-]/g, '?');
}
