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
      const plain = unmapped(address);
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
  if (family === 'ipv6' && isIPv4(unmapped(address))) {
    throw new InputError(`"${cidr}" is an IPv4 address written as IPv6; write it as plain IPv4`);
  }
  if (prefix < WIDEST[family]) {
    throw new InputError(`"${cidr}" lets in (nearly) the whole internet; name the networks that really call`);
  }
  return { address, prefix, family } as const;
}

/** The address as node:net compares it: no zone, and IPv4-mapped IPv6 as the IPv4 address that it is. */
function unmapped(address: string): string {
  if (!isIPv6(address)) return address;
  const plain = new SocketAddress({ address: address.replace(/%.*$/, ''), family: 'ipv6' }).address;
  return plain.replace(/^::ffff:(?=\d+\.)/, '');
}
