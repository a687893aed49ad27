import { describe, expect, test } from 'vitest';
import { can } from '#test/can.ts';

/** Who may do what under deploy/policy.yaml: copy it for the policy of your site. */
const table: readonly (readonly [user: string, operation: string, unit: string, may: boolean])[] = [
  ['zhangsan', 'k8s.scale', '电商', true],
  ['zhangsan', 'k8s.scale', '支付', true],
  ['zhangsan', 'mysql.kill', '支付', true],
  ['lisi', 'k8s.pods.list', '电商', true],
  ['lisi', 'k8s.restart', '电商', true],
  ['lisi', 'k8s.scale', '电商', false],
  ['lisi', 'mysql.kill', '电商', false],
  ['lisi', 'k8s.restart', '支付', false],
  ['lisi', 'k8s.pods.list', '支付', false],
  ['wangwu', 'mysql.kill', '支付', true],
  ['mallory', 'k8s.pods.list', '电商', false],
];

describe('deploy/policy.yaml', () => {
  test.each(table)('%s, %s in %s: %s', async (user, operation, unit, may) => {
    expect(await can(user, operation, unit)).toBe(may);
  });
});
