import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { plainAddress } from './sources.ts';

interface WaitingParts {
  /** So many may wait at the same time. */
  readonly most: number;
  /** One had to give way; `source` is the address at its other end. */
  onCut(source: string): void;
}

/** What is known of a connection that is open. */
interface Known {
  readonly address: string;
  /** The bytes that had come in over it when it began to wait. */
  before: number;
}

/** The connections of a server on which a request is still to come. */
export type WaitingConnections = ReturnType<typeof boundWaiting>;

/**
 * Bounds the connections of a server on which a request is still to come with all of its body, or to be let in: nobody knows yet
 * whose they are. When there is one too many, one of the address that has the most of them is cut, which is the one that waits
 * longest: whoever means a connection sends a request over it at once. So nobody keeps others out by filling the server, not even
 * from behind the same addresses, and what is in memory of requests that nobody has checked is bounded.
 */
export function boundWaiting(app: FastifyInstance, { most, onCut }: WaitingParts) {
  const open = new WeakMap<Socket, Known>();
  /** By address; each set in the order in which they began to wait. */
  const waiting = new Map<string, Set<Socket>>();
  let count = 0;

  const leave = (socket: Socket): void => {
    const { address = '' } = open.get(socket) ?? {};
    const those = waiting.get(address);
    if (!those?.delete(socket)) return;
    count -= 1;
    if (those.size === 0) waiting.delete(address);
  };
  const cutOne = (): void => {
    let [address, largest] = ['', new Set<Socket>()];
    for (const [each, those] of waiting) if (those.size > largest.size) [address, largest] = [each, those];
    const [longest] = largest;
    if (longest === undefined) return;
    leave(longest);
    longest.destroy();
    onCut(address);
  };
  const wait = (socket: Socket, known: Known): void => {
    known.before = socket.bytesRead;
    const those = waiting.get(known.address) ?? new Set();
    if (those.has(socket)) return;
    waiting.set(known.address, those.add(socket));
    count += 1;
    if (count > most) cutOne();
  };

  app.server.on('connection', (socket: Socket) => {
    const known = { address: plainAddress(socket.remoteAddress ?? ''), before: 0 };
    open.set(socket, known);
    socket.once('close', () => leave(socket));
    wait(socket, known);
  });
  // By then the body is here, or the role that has let the request in reads it into room of its own.
  app.addHook('preValidation', ({ raw: { socket } }, reply, done) => {
    leave(socket);
    reply.raw.once('close', () => {
      const known = open.get(socket);
      if (known !== undefined && !socket.destroyed) wait(socket, known);
    });
    done();
  });

  return {
    count: (): number => count,
    /** The bytes that have come in over them since they began to wait: what is in memory of them, and nothing else is. */
    bytes(): number {
      const sockets = [...waiting.values()].flatMap((those) => [...those]);
      return sockets.reduce((sum, socket) => sum + socket.bytesRead - (open.get(socket)?.before ?? 0), 0);
    },
  };
}
