import { afterEach, describe, expect, test } from 'vitest';
import { startInternal } from '../../src/server/internal.ts';
import { createLog } from '../../src/server/log.ts';
import { createRegistry } from '../../src/server/metrics.ts';

let internal: Awaited<ReturnType<typeof startInternal>> | undefined;
afterEach(() => internal?.close());

async function start(checks: Record<string, () => Promise<void>>) {
  const lines: string[] = [];
  const log = createLog({ level: 'warn', destination: { write: (line) => lines.push(line) } });
  internal = await startInternal({
    role: 'bot',
    host: '127.0.0.1',
    port: 0,
    registry: createRegistry(),
    checks,
    log,
    limitMs: 20,
  });
  const { url } = internal;
  const get = async (path: string) => {
    const response = await fetch(url + path);
    return {
      status: response.status,
      text: await response.text(),
      type: response.headers.get('content-type'),
    };
  };
  return { url, get, logged: () => lines.join('') };
}

const fine = async () => {};
const broken = async () => {
  throw new Error('mysql://keypad:hunter2@db');
};
const hanging = () => new Promise<void>(() => {});

describe('the internal port', () => {
  test('listens on the address it is told, here loopback', async () => {
    expect((await start({})).url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test('/healthz says that the process is up, whatever it needs', async () => {
    const { get } = await start({ redis: broken });
    expect(await get('/healthz')).toMatchObject({ status: 200, text: 'ok\n' });
  });

  test('/readyz is 200 when every check passes', async () => {
    const { get } = await start({ redis: fine, mysql: fine });
    expect(await get('/readyz')).toMatchObject({ status: 200, text: 'ready\n' });
  });

  test('/readyz is 503 and names what failed and what hangs; why it failed is in the log only', async () => {
    const { get, logged } = await start({ redis: fine, mysql: broken, token: hanging });
    expect(await get('/readyz')).toMatchObject({
      status: 503,
      text: 'not ready\nmysql failed\ntoken gave no answer within 20 ms\n',
    });
    expect(logged()).toContain('"check":"mysql"');
    expect(logged()).not.toContain('hunter2');
  });

  test('/metrics is what Prometheus reads', async () => {
    const { get } = await start({});
    const { status, text, type } = await get('/metrics');
    expect(status).toBe(200);
    expect(type).toContain('text/plain; version=0.0.4');
    expect(text).toContain('nodejs_eventloop_lag_seconds');
  });
});
