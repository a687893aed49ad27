import { BlockList, isIP, isIPv4 } from 'node:net';

/**
 * Reads a list of what is called without a proxy, separated by commas or spaces: `names` are hosts, domains and addresses; the networks
 * among them are asked for one address. A host by name is in no network, whatever DNS says.
 */
export function readNoProxy(text: string) {
  const networks = new BlockList();
  const names = text.split(/[,\s]+/).filter((entry) => entry !== '' && !addNetwork(networks, entry));
  return {
    names,
    hasAddress(host: string): boolean {
      return isIP(host) !== 0 && networks.check(host, familyOf(host));
    },
  };
}

function addNetwork(networks: BlockList, entry: string): boolean {
  const [, address = '', length = ''] = /^([^/]+)\/(\d{1,3})$/.exec(entry) ?? [];
  if (isIP(address) === 0 || Number(length) > (isIPv4(address) ? 32 : 128)) return false;
  networks.addSubnet(address, Number(length), familyOf(address));
  return true;
}

function familyOf(address: string) {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}
