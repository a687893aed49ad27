import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type Closer, shutDown } from '../../src/server/shutdown.ts';

const never = () => new Promise<void>(() => {});
const atOnce = async () => {};

function closers(closed: string[], work: Record<string, () => Promise<void>>): Closer[] {
  return Object.entries(work).map(([name, run]) => ({
    name,
    close: async () => {
      await run();
      closed.push(name);
    },
  }));
}

describe('shutting down', () => {
  test('closes one after the other and leaves nothing', async () => {
    const closed: string[] = [];
    const list = closers(closed, { callbacks: () => Promise.resolve(), chat: atOnce, redis: atOnce });
    expect(await shutDown(list, never())).toEqual([]);
    expect(closed).toEqual(['callbacks', 'chat', 'redis']);
  });

  test('a failure is reported and does not keep the rest open', async () => {
    const closed: string[] = [];
    const list = closers(closed, { callbacks: () => Promise.reject(new Error('broke')), redis: atOnce });
    expect(await shutDown(list, never())).toEqual(['callbacks']);
    expect(closed).toEqual(['redis']);
  });

  test('what hangs is named when the time is up, and so is what had to wait for it', async () => {
    const list = closers([], { callbacks: atOnce, chat: never, redis: atOnce });
    const timeUp = new Promise<void>((resolve) => setImmediate(resolve));
    expect(await shutDown(list, timeUp)).toEqual(['chat', 'redis']);
  });
});

describe('a signal', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s: the request in flight is answered, then the process ends with 0',
    async (signal) => {
      const server = start(join(import.meta.dirname, 'one-slow-request.ts'));
      const answer = fetch(await server.line('listening on'));
      await server.line('request begun');
      server.process.kill(signal);
      await server.line('finishing what is in flight');
      // As a terminal and npm do: the same Ctrl-C twice.
      server.process.kill(signal);
      server.process.stdin.end('go on\n');
      expect(await (await answer).text()).toBe('finished');
      expect(await server.exit).toEqual([0, null]);
    },
  );
});

test('at the end of a process what its log has held back is written', async () => {
  const file = join(import.meta.dirname, '../../src/server/log.ts');
  const script = `import { createLog } from '${file}';
    const log = createLog({ level: 'info' });
    for (const id of ['46f6ffd8', '0a6a6ffd']) log.error({ id, err: new Error('x') }, 'a message broke');
    process.exit();`;
  const args = ['--input-type=module', '--eval', script];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const lines = stdout.trim().split('\n');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { id: '46f6ffd8' },
    { repeated: 1, numbers: ['0a6a6ffd'] },
  ]);
});

function start(script: string) {
  const process = spawn(globalThis.process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  let printed = '';
  process.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const exit = once(process, 'exit');
  const line = async (mark: string): Promise<string> => {
    for (;;) {
      const found = printed.split('\n').find((text) => text.includes(mark));
      if (found !== undefined) return found.slice(found.indexOf(mark) + mark.length).trim();
      await Promise.race([once(process.stdout, 'data'), exit.then(() => Promise.reject(new Error(printed)))]);
    }
  };
  return { process, exit, line };
}
