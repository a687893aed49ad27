import { expect, test } from 'vitest';
import type { Connections } from '../../src/ops/kubeconfig/connections.ts';
import { listQueries } from '../../src/ops/operations/mysql/running-query.ts';
import type { Policy } from '../../src/ops/policy/policy.ts';
import { openTargets } from '../../src/ops/targets.ts';
import { createDatabase } from '../helpers/database.ts';

test('what the log hears of a server that fails has no secret in it, whatever the server says', async () => {
  const database = await createDatabase();
  const url = new URL(database.url);
  url.username = encodeURIComponent('token=S3cret');
  const heard: Error[] = [];
  const targets = openTargets({
    connections: { close: async () => {} } as Connections,
    mysqlUrls: { 'shop-db': url.href },
    onFailure: (_what, _name, error) => heard.push(error),
  });
  const policy = { unit: () => ({ mysql: ['shop-db'] }) } as unknown as Policy;
  await expect(listQueries(targets.mysql(policy, '电商', 'shop-db'))).rejects.toThrow('shop-db');
  const [error] = heard;
  const cause = error?.cause as Error;
  expect(cause.message).toContain("'token=***");
  expect(`${error?.stack} ${cause.stack}`).not.toContain('S3cret');
  await targets.close();
  await database.drop();
});
