import { randomInt } from 'node:crypto';
import { checkPorts, type DemoPorts, readPorts } from '../../demo/servers/ports.ts';

/** Ports below those that systems give out for outgoing connections, so that no connection takes one in between. */
export async function choosePorts(): Promise<DemoPorts> {
  for (;;) {
    const ports = readPorts(`${randomInt(10_000, 31_000)}`);
    const free = await checkPorts(ports).then(
      () => true,
      () => false,
    );
    if (free) return ports;
  }
}
