import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { startPrivateDatabase } from '#test/private-database.ts';
import { startPushRole } from '#test/push-role.ts';

test('while its server takes no writes, message delivery is not ready and answers 503, and goes on by itself', async () => {
  const database = await startPrivateDatabase();
  onTestFinished(database.stop);
  const role = await startPushRole({ mysqlUrl: database.url });
  onTestFinished(role.stop);
  const ready = async () => (await fetch(`${role.first.internalUrl}/readyz`)).status;
  const send = () =>
    role.first.ask('POST /v1/messages', {
      json: { to: { users: ['anna'] }, text: 'hello', idempotencyKey: randomUUID() },
    });
  expect([await ready(), (await send()).status]).toEqual([200, 202]);

  await database.admin('set global read_only = 1');
  expect([await ready(), (await send()).status]).toEqual([503, 503]);

  await database.admin('set global read_only = 0');
  expect([await ready(), (await send()).status]).toEqual([200, 202]);
  const texts = () => role.wecom.arrived('anna').map(({ text }) => text);
  await expect.poll(texts, { timeout: 20_000, interval: 25 }).toEqual(['hello', 'hello']);
});
