import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** An address in front of servers, as a load balancer or a virtual IP is one. */
export interface TcpProxy {
  readonly port: number;
  /** Leads new connections to another port; those that are open stay where they are. */
  leadTo(port: number): void;
  /** Closes the open connections. */
  cut(): void;
  /** From now on the open connections carry nothing, in neither direction, and are not closed: a link that died without FIN. */
  swallow(): void;
  /**
   * The next commit of a transaction in which `words` were said is carried out, and its answer lost with the connection. Resolves then.
   */
  loseCommitOf(words: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts one on loopback that leads to `port`. */
export async function startTcpProxy(port: number): Promise<TcpProxy> {
  let target = port;
  const open = new Set<Socket>();
  let losing: { readonly words: string; readonly done: () => void } | undefined;
  const server = createServer((near) => {
    const far = connect({ host: '127.0.0.1', port: target });
    let transaction = '';
    near.on('data', (data) => {
      const words = data.toString('latin1');
      transaction = isCommand(words, 'begin') ? '' : transaction + words;
      if (losing === undefined || !isCommand(words, 'commit') || !transaction.includes(losing.words)) return;
      const { done } = losing;
      losing = undefined;
      far.removeAllListeners('data').once('data', () => {
        near.destroy();
        far.destroy();
        done();
      });
    });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      from.on('data', (data) => to.write(data));
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => open.delete(from));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    leadTo(next) {
      target = next;
    },
    cut() {
      for (const socket of open) socket.destroy();
    },
    swallow() {
      for (const socket of open) socket.removeAllListeners('data').removeAllListeners('end').resume();
    },
    loseCommitOf: (words) =>
      new Promise((done) => {
        losing = { words, done };
      }),
    async stop() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Whether a packet is this statement: MySQL is told between the kind of the packet and the words that there are no attributes. */
function isCommand(packet: string, words: string): boolean {
  return packet.endsWith(`\x03${words}`) || packet.endsWith(`\x03\x00\x01${words}`);
}
