import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../ops/ops-harness.ts';
import { type DemoOnCopies, startDemoOnCopies } from './demo-on-copies.ts';

let demo: DemoOnCopies;
beforeAll(async () => {
  demo = await startDemoOnCopies({ policy: true });
});
afterAll(() => demo?.stop());

const write = (path: string, text: string) => demo.write(path, text);
const menuOf = (user: string) => demo.say(user, '#', '你好', '1', '2');
const report = (query: string) =>
  `kind: sql\ntitle: 新报表\nrisk: read\nsql: { database: information_schema, query: "${query}" }\n`;

test('a file that is added to a running demo is on the phone of whom the policy gives it, and of nobody else', async () => {
  expect(await menuOf('wangwu')).not.toContain('新报表');
  write('operations/mysql/fresh.yaml', report('select 7 as 七'));
  write(
    'menus/2-mysql/4-fresh.ts',
    `import { action } from '#menu';\nimport root from '../index.ts';\nexport default action(root, { runs: 'mysql.fresh' });\n`,
  );
  await until(async () => (await menuOf('wangwu')).includes('4 新报表'));
  expect(await demo.say('wangwu', '4')).toContain('七 7');
  // Granted by name to nobody: a role that lists its operations does not have it.
  expect(await menuOf('zhangsan')).not.toContain('新报表');

  // What an operation is can change while the entry stands.
  write('operations/mysql/fresh.yaml', report('select 8 as 八'));
  await until(async () => (await demo.say('wangwu', '#', '1-2-4')).includes('八 8'));

  // Once the policy names it, the role has it.
  const policy = readFileSync('deploy/policy.yaml', 'utf8');
  write(
    'policy.yaml',
    policy.replace('          - mysql.sizes\n', '          - mysql.sizes\n          - mysql.fresh\n'),
  );
  await until(async () => (await menuOf('zhangsan')).includes('4 新报表'));
});

test('the same processes served all of it', () => {
  for (const { process: child } of Object.values(demo.processes)) expect(child.exitCode).toBeNull();
});
