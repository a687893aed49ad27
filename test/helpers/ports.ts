import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { checkPorts, type DemoPorts, readPorts } from '../../demo/servers/ports.ts';

/** Ports that systems give out by themselves, for outgoing connections above all, are higher. */
const FIRST = 10_000;
/**
 * A demo has the ports 0 to 4 and 10 to 12 of its block, and 1000 to 1003, which are 16 to 19 of another: with blocks of 24
 * no two demos meet.
 */
const BLOCK = 24;
const BLOCKS = 875;

/**
 * Ports that are free, and stay so: whoever listens on the last port of a block has the whole block until its process ends, so
 * that nobody else of this run or another is given one of them while a server is still starting, or is away for a while.
 */
export async function choosePorts(): Promise<DemoPorts> {
  for (;;) {
    const first = FIRST + BLOCK * randomInt(BLOCKS);
    if (!(await reserve(first + BLOCK - 1))) continue;
    const ports = readPorts(`${first}`);
    const free = await checkPorts(ports).then(
      () => true,
      () => false,
    );
    if (free) return ports;
  }
}

/** One of them, for a server that needs no more. */
export async function choosePort(): Promise<number> {
  return (await choosePorts()).bot;
}

/** Listens there as long as this process lives, without keeping it alive; false when somebody else does. */
function reserve(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().unref();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
}
