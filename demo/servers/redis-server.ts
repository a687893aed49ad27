import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type PrivateProcess, startProcess } from './private-process.ts';

export interface RedisServer extends PrivateProcess {
  readonly url: string;
}

/** Where a private Redis listens, and the password that it asks for: letters and digits, none when left out. */
export interface RedisPlace {
  readonly directory: string;
  readonly port: number;
  readonly password?: string;
}

/** Starts a private redis-server on loopback. Data is kept in `directory` with an append-only file, so a kill loses at most a second. */
export async function startRedisServer({ directory, port, password }: RedisPlace): Promise<RedisServer> {
  mkdirSync(directory, { recursive: true });
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir "${directory.replaceAll(/["\\]/g, '\\$&')}"`,
    'save ""',
    'appendonly yes',
    ...(password === undefined ? [] : [`requirepass ${password}`]),
  ];
  // A password among the arguments would be seen by whoever lists the processes.
  const file = join(directory, 'redis.conf');
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  const server = await startProcess('redis-server', [file], () => answersPing(port, password));
  return { ...server, url: `redis://${password === undefined ? '' : `:${password}@`}127.0.0.1:${port}` };
}

/** Whether a Redis on loopback has loaded its data and takes commands. */
function answersPing(port: number, password: string | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const login = password === undefined ? '' : `AUTH ${password}\r\n`;
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(`${login}PING\r\n`));
    const settle = (ready: boolean) => {
      socket.destroy();
      resolve(ready);
    };
    let answers = '';
    socket.on('data', (data) => {
      answers += data.toString();
      if (answers.includes('+PONG')) settle(true);
      else if (/^-/m.test(answers)) settle(false);
    });
    socket.once('error', () => settle(false));
  });
}
