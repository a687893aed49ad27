import dgram from 'node:dgram';
import dns from 'node:dns';
import net from 'node:net';

/**
 * Closes what the permissions of this version of Node leave open, the network, for all code of the process: a second
 * fence, behind the realm that has no name for any of it. Node 25 has a permission for this (`--allow-net`).
 */
export function closeNetwork(): void {
  const refuse = (): never => {
    throw new Error('menus have no network');
  };
  const close = (owner: object, names: readonly string[]): void => {
    for (const name of names) Object.defineProperty(owner, name, { value: refuse });
  };
  close(net.Socket.prototype, ['connect']);
  close(net.Server.prototype, ['listen']);
  close(dgram.Socket.prototype, ['bind', 'send', 'connect']);
  for (const owner of [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype]) {
    close(
      owner,
      Object.getOwnPropertyNames(owner).filter((name) => /^(lookup|resolve|reverse)/.test(name)),
    );
  }
}
