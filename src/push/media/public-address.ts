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

/** All that is public of IPv6, and two forms of IPv4: mapped, which Node compares as IPv4, and NAT64. */
const OPEN_6 = ['2000::/3', '::ffff:0:0/96', '64:ff9b::/96'];

const NOT_PUBLIC_6 = [
  '2001::/23', // protocol assignments, Teredo, benchmarks
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4
  '2620:4f:8000::/48', // AS112
  '3fff::/20', // documentation
];

const open = new BlockList();
for (const cidr of OPEN_6) add(open, cidr, 'ipv6');
const special = new BlockList();
for (const cidr of NOT_PUBLIC_6) add(special, cidr, 'ipv6');
for (const cidr of NOT_PUBLIC) {
  const [address, prefix] = cidr.split('/');
  add(special, cidr, 'ipv4');
  add(special, `64:ff9b::${address}/${96 + Number(prefix)}`, 'ipv6');
}

/** Whether an address is one of the public internet; IPv4 inside IPv6 (mapped, NAT64) counts as what it is. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special.check(address, 'ipv4');
  // An address with a zone (%) belongs to one link.
  if (!isIPv6(address) || address.includes('%')) return false;
  return open.check(address, 'ipv6') && !special.check(address, 'ipv6');
}

function add(list: BlockList, cidr: string, family: 'ipv4' | 'ipv6'): void {
  const [address = '', prefix] = cidr.split('/');
  list.addSubnet(address, Number(prefix), family);
}
