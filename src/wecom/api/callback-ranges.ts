import { isIPv4, isIPv6 } from 'node:net';
import { InputError } from '../../errors.ts';

/**
 * Reads one entry of `getcallbackip` (§4.7) as a CIDR: `101.226.103.*` is `101.226.103.0/24`, a plain address of IPv4
 * or IPv6 stands for itself, and a CIDR stays as it is. Throws {@link InputError} for anything else.
 */
export function readCallbackRange(entry: string): string {
  const [, stars] = /^[\d.]+?((?:\.\*){1,3})$/.exec(entry) ?? [];
  const octets = (stars?.length ?? 0) / '.*'.length;
  const network = stars === undefined ? entry : `${entry.replaceAll('*', '0')}/${32 - 8 * octets}`;
  const [, address = '', prefix] = /^([\da-f:.]+)(?:\/(\d{1,3}))?$/i.exec(network) ?? [];
  const longest = isIPv4(address) ? 32 : isIPv6(address) ? 128 : 0;
  const bits = Number(prefix ?? longest);
  if (bits >= 1 && bits <= longest) return `${address}/${bits}`;
  throw new InputError(`"${entry}" is neither an address, nor a CIDR, nor like 101.226.103.*`);
}
