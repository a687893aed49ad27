import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestDemo, type TestDemo } from '../helpers/demo.ts';
import { until } from '../ops/ops-harness.ts';

/** Copies of the demo's folders, which a test may write into. */
const directory = mkdtempSync(join(tmpdir(), 'keypad-added-'));
let demo: TestDemo;
beforeAll(async () => {
  // Whoever the scripts of operations run as has to reach them.
  chmodSync(directory, 0o755);
  for (const name of ['menus', 'operations']) cpSync(name, join(directory, name), { recursive: true });
  cpSync('deploy/policy.yaml', join(directory, 'policy.yaml'));
  demo = await startTestDemo({
    settings: {
      MENUS_DIR: join(directory, 'menus'),
      OPERATIONS_DIR: join(directory, 'operations'),
      OPS_POLICY_FILE: join(directory, 'policy.yaml'),
    },
  });
});
afterAll(async () => {
  await demo.stop();
  rmSync(directory, { recursive: true, force: true });
});

const write = (path: string, text: string) => writeFileSync(join(directory, path), text);
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
