import { AppsV1Api, CoreV1Api } from '@kubernetes/client-node';
import { expect, test } from 'vitest';
import { listQueries } from '../../operations/mysql/_running-query.ts';
import type { Connections } from '../../src/ops/kubeconfig/connections.ts';
import type { Policy } from '../../src/ops/policy/policy.ts';
import { openTargets } from '../../src/ops/targets/targets.ts';
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
  await expect(listQueries(targets.reachOf(policy, '电商').mysql('电商', 'shop-db'))).rejects.toThrow(
    'shop-db',
  );
  const [error] = heard;
  const cause = error?.cause as Error;
  expect(cause.message).toContain("'token=***");
  expect(`${error?.stack} ${cause.stack}`).not.toContain('S3cret');
  await targets.close();
  await database.drop();
});

test('an operation reaches what its own unit has, whatever unit it asks for', async () => {
  const connections = { close: async () => {}, problemOf: () => undefined } as unknown as Connections;
  const mysqlUrls = { 'shop-db': 'mysql://u@127.0.0.1:1/', 'pay-db': 'mysql://u@127.0.0.1:1/' };
  const targets = openTargets({ connections, mysqlUrls, onFailure: () => {} });
  const kubernetes = { context: 'demo', namespaces: ['shop'] };
  const units = {
    电商: { mysql: ['shop-db'], kubernetes },
    支付: { mysql: ['pay-db'], kubernetes: { context: 'demo', namespaces: ['pay'] } },
  };
  const policy = { unit: (name: keyof typeof units) => units[name] } as unknown as Policy;
  const reach = targets.reachOf(policy, '电商');
  expect(reach.mysql('电商', 'shop-db').name).toBe('shop-db');
  expect(reach.instances('支付')).toEqual([]);
  for (const reached of [
    () => reach.mysql('支付', 'pay-db'),
    () => reach.mysql('电商', 'pay-db'),
    () => reach.cluster('支付'),
    () => reach.cluster('电商', 'pay'),
  ]) {
    expect(reached).toThrow(/够不到/);
  }
  const { cluster } = reach.cluster('电商');
  const apps = cluster.api(AppsV1Api);
  const core = cluster.api(CoreV1Api);
  for (const request of [
    () => apps.listNamespacedDeployment({ namespace: 'pay' }),
    () => apps.listNamespacedDeployment({ namespace: '..' }),
    () => apps.listDeploymentForAllNamespaces(),
    () => core.readNamespace({ name: 'shop' }),
    () => core.listNode(),
  ]) {
    await expect(cluster.read('x', 'DeploymentList', request() as never)).rejects.toThrow(/够不到/);
  }
  await targets.close();
});
