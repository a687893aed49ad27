import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** IANA's registry of special addresses, and one that a cloud uses for its metadata (168.63.129.16). */
const NOT_PUBLIC = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local, metadata of most clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // AMT
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
  '168.63.129.16/32', // Azure
];

/** Within 2000::/3, which is all that is public of IPv6. */
const NOT_PUBLIC_6 = [
  '2001::/23', // protocol assignments, Teredo, benchmarks
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '2620:4f:8000::/48', // AS112
  '3fff::/20', // documentation
];

const special = { ipv4: listOf(NOT_PUBLIC, 'ipv4'), ipv6: listOf(NOT_PUBLIC_6, 'ipv6') };
const unicast = listOf(['2000::/3'], 'ipv6');

/** Whether an address is one of the public internet; IPv4 inside IPv6 (mapped, NAT64) counts as what it is. */
export function isPublicAddress(address: string): boolean {
  const inside = isIPv6(address) && !address.includes('%') ? ipv4Inside(address) : undefined;
  const plain = inside ?? address;
  if (isIPv4(plain)) return !special.ipv4.check(plain, 'ipv4');
  if (!isIPv6(plain) || plain.includes('%')) return false;
  return unicast.check(plain, 'ipv6') && !special.ipv6.check(plain, 'ipv6');
}

function listOf(cidrs: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', prefix] = cidr.split('/');
    list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

/** The IPv4 address in `::ffff:a.b.c.d` and `64:ff9b::a.b.c.d`, however they are written. */
function ipv4Inside(address: string): string | undefined {
  // The URL parser writes every address in one way, without dots.
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string) =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(head), groups(tail)];
  const all = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
  const prefix = all.slice(0, 6).join(':');
  if (prefix !== `0:0:0:0:0:${0xffff}` && prefix !== `${0x64}:${0xff9b}:0:0:0:0`) return undefined;
  return all
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}
