import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { type PrivateProcess, startProcess } from './private-process.ts';

export interface RedisServer extends PrivateProcess {
  readonly url: string;
}

/** Starts a private redis-server on loopback. Data is kept in `directory` with an append-only file, so a kill loses at most a second. */
export async function startRedisServer(options: { directory: string; port: number }): Promise<RedisServer> {
  const { directory, port } = options;
  mkdirSync(directory, { recursive: true });
  const args = [
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
    '--dir',
    directory,
    '--save',
    '',
    '--appendonly',
    'yes',
  ];
  const server = await startProcess('redis-server', args, () => answersPing(port));
  return { ...server, url: `redis://127.0.0.1:${port}` };
}

/** Whether a Redis on loopback has loaded its data and takes commands. */
function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write('PING\r\n'));
    const settle = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    socket.once('data', (data) => settle(data.toString().startsWith('+PONG')));
    socket.once('error', () => settle(false));
  });
}
