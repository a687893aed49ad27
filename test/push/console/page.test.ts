import { randomBytes, randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPushDatabase } from '#test/push-database.ts';
import { startRedis } from '#test/redis.ts';
import { signConsoleLink } from '../../../src/contract/console-link.ts';
import { addConsole } from '../../../src/push/console/console.ts';
import { type Internal, startInternal } from '../../../src/server/internal.ts';
import { createLog } from '../../../src/server/log.ts';
import { createRegistry } from '../../../src/server/metrics.ts';
import { createWaitingRedis } from '../../../src/server/redis.ts';
import { hasBrowser, openPage } from '../../demo/phone/browser.ts';

const KEY = 'the console key of the tests, long enough';
const name = `the queue view in a browser${hasBrowser ? '' : ' (skipped: no /usr/bin/chromium here)'}`;

describe.skipIf(!hasBrowser)(name, () => {
  let internal: Internal;
  let browser: Awaited<ReturnType<typeof openPage>>;
  const stops: (() => Promise<unknown>)[] = [];
  const asked: string[] = [];

  beforeAll(async () => {
    const redis = await startRedis();
    const database = await openPushDatabase();
    const connection = createWaitingRedis(redis.url);
    const queue = new Queue('push-alert', { connection });
    await queue.add('send', { delivery: 7 }, { jobId: 'd7', delay: 3_600_000 });
    internal = await startInternal({
      host: '127.0.0.1',
      port: 0,
      registry: createRegistry(),
      checks: {},
      async extend(app) {
        app.addHook('onRequest', async ({ url }) => void asked.push(url));
        const log = createLog({ level: 'silent' });
        const newSecret = () => randomBytes(32).toString('base64url');
        await addConsole(app, { db: database.db, key: KEY, queues: [queue], log, now: Date.now, newSecret });
      },
    });
    browser = await openPage({ width: 1000, height: 800 });
    stops.push(
      browser.close,
      internal.close,
      () => queue.close(),
      async () => connection.disconnect(),
    );
    stops.push(redis.stop, database.drop);
  });
  afterAll(async () => {
    for (const stop of stops) await stop();
  });

  test('a link shows a page, takes its token out of the address, and leads to the queues', async () => {
    const { page } = browser;
    const token = await signConsoleLink(KEY, { user: 'wangwu', id: randomUUID(), now: Date.now() });
    await page.goto(`${internal.url}/console/login#${token}`);
    await page.getByRole('button', { name: '进入' }).waitFor();
    expect(page.url()).toBe(`${internal.url}/console/login`);
    await page.getByRole('button', { name: '进入' }).click();
    await page.getByText('push-alert').first().waitFor();
    expect(page.url()).toMatch(/\/console\/queues/);
    expect(asked.filter((url) => url.includes(token))).toEqual([]);
    await page.goto(`${internal.url}/console/login#${token}`);
    await page.getByRole('button', { name: '进入' }).click();
    await page.getByText('链接已经用过').waitFor();
  });
});
