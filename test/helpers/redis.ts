import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, startRedisServer } from '../../demo/servers/redis-server.ts';
import { choosePort } from './ports.ts';

/** A private Redis for one test file; `stop` also removes its data. */
export async function startRedis(): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-redis-'));
  const server = await startRedisServer({ directory, port: await choosePort() });
  return {
    ...server,
    stop: async () => {
      await server.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
