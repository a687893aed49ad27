import { InputError } from '../../errors.ts';

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const ipv4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
const wildcard = new RegExp(`^(${OCTET}(?:\\.${OCTET}){0,2})((?:\\.\\*){1,3})$`);

/**
 * Reads one entry of `getcallbackip` (§4.7) as a CIDR: `101.226.103.*` is `101.226.103.0/24`, a plain address of IPv4
 * or IPv6 stands for itself, and a CIDR stays as it is. Throws {@link InputError} for anything else.
 */
export function readCallbackRange(entry: string): string {
  const cidr = readWildcard(entry) ?? readNetwork(entry);
  if (cidr === null)
    throw new InputError(`"${entry}" is neither an address, nor a CIDR, nor like 101.226.103.*`);
  return cidr;
}

function readWildcard(entry: string): string | null {
  const [, fixed, stars] = wildcard.exec(entry) ?? [];
  if (fixed === undefined || stars === undefined) return null;
  const octets = fixed.split('.');
  const missing = stars.length / '.*'.length;
  if (octets.length + missing !== 4) return null;
  return `${fixed}${'.0'.repeat(missing)}/${octets.length * 8}`;
}

function readNetwork(entry: string): string | null {
  const [, address = '', prefix] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const longest = addressBits(address);
  if (longest === null) return null;
  const bits = prefix === undefined ? longest : Number(prefix);
  return bits >= 1 && bits <= longest ? `${address}/${bits}` : null;
}

/** 32 for IPv4, 128 for IPv6, null for what is no address. */
function addressBits(address: string): number | null {
  if (ipv4.test(address)) return 32;
  return /^[\da-f:.]+$/i.test(address) && URL.canParse(`http://[${address}]/`) ? 128 : null;
}
