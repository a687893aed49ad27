import { once } from 'node:events';
import { connect } from 'node:net';

/** A connection over which a test says exactly what it likes. */
export interface RawConnection {
  say(bytes: string | Buffer): void;
  /** All that was answered by the time the other side had closed the connection. */
  readonly closed: Promise<string>;
  /** Resolves once this has been answered. */
  answered(part: string): Promise<void>;
  /** Breaks off. */
  cut(): void;
}

/** Opens a connection to a server on loopback, from an address of it, and says this. */
export async function openRaw(url: string, bytes: string, from = '127.0.0.1'): Promise<RawConnection> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', localAddress: from });
  let said = '';
  socket.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  // Whoever is refused may still be writing.
  socket.on('error', () => {});
  await once(socket, 'connect');
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(said)));
  if (bytes !== '') socket.write(bytes);
  return {
    say: (more) => void socket.write(more),
    closed,
    async answered(part) {
      while (!said.includes(part)) {
        const gone = closed.then(() => Promise.reject(new Error(`closed after: ${said}`)));
        await Promise.race([once(socket, 'data'), gone]);
      }
    },
    cut: () => void socket.destroy(),
  };
}
