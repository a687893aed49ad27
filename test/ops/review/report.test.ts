import { describe, expect, test } from 'vitest';
import { widthOf } from '../../../src/ops/review/columns.ts';
import { policy, reviewFolder } from './review-harness.ts';

const HEAD = `policy.yaml, over the operations in operations
Contexts and instances are as the file names them: no cluster, MySQL or setting was looked at.
`;

test('the report says who may do what where, what nobody may, what is granted in advance, and what hangs on one person', async () => {
  const { write, run } = reviewFolder();
  const { text, exitCode } = await run('--file', write('policy.yaml', policy));
  expect(exitCode).toBe(0);
  expect(text).toBe(`${HEAD}
Units
  电商
    environment: test, kubernetes.context: any, kubernetes.namespaces: shop, mysql: shop-db,
        limits.replicas: 50
  2
    environment: production, limits.replicas: 50
  支付
    environment: production, kubernetes.context: any, kubernetes.namespaces: pay,
        limits.replicas: 50

Role sre: zhangsan, wangwu, department 7
                 电商    支付
  k8s.pods.list  read    read
  k8s.scale      change  change

Role lead: wangwu
                       电商    2       支付    added later
  k8s.pods.list        -       -       read    -
  k8s.scale            -       -       change  -
  mysql.kill           change  change  change  change
  k8s.* (added later)  -       -       any     -

Role admin: lisi
                 电商
  k8s.pods.list  read

Role idle: no members
             电商
  app.flush  change

Nobody may run
  app.flush (change, 改): only roles without members grant it: idle

Granted with \`new: allowed\`, and so with all that is added later and fits
  roles.lead.grants.1: "k8s.*" in 支付; now k8s.pods.list, k8s.scale

Only one person may run (a department counts as several)
  wangwu
    电商, 2, 支付: mysql.kill
`);
});

describe('the report', () => {
  const lines = async (text: string) => {
    const { write, run } = reviewFolder();
    return (await run('--file', write('policy.yaml', text))).text.split('\n');
  };

  test('names what no role grants, and units in which nobody may do anything', async () => {
    const text = policy
      .replace("[mysql.kill], units: '*'", '[k8s.scale], units: [电商]')
      .replace('[app.flush]', '[k8s.scale]');
    expect(await lines(text)).toEqual(
      expect.arrayContaining([
        '  app.flush (change, 改): no role grants it',
        '  mysql.kill (change, 改): no role grants it',
        '  anything in 2',
      ]),
    );
  });

  test('says of an operation that needs others who lacks them, and where there is none at all', async () => {
    const { write, writeOperations, run } = reviewFolder();
    const folder = writeOperations('other', {
      'k8s.pods.list': 'read',
      'k8s.scale': "change; needs: ['k8s.pods.list'],",
      'mysql.kill': "change; needs: ['k8s.pods.list'],",
      'app.flush': "change; units: ['物流'],",
    });
    const report = async (text: string) => {
      return (await run('--operations', folder, '--file', write('policy.yaml', text))).text;
    };
    const some = policy.replace('[k8s.pods.list], units: [电商]', '[k8s.scale], units: [电商, 支付]');
    expect(await report(some)).toContain(`
Role admin: lisi
                                       电商    支付
  k8s.scale (only with k8s.pods.list)  change  change
`);
    expect(await report(some)).toContain(`
Nobody may run
  app.flush (change, 改): no role grants it where it can be run, in 物流

`);
    expect(await report(some)).toContain(`
Only one person may run (a department counts as several)
  wangwu
    电商, 支付: mysql.kill
`);
    const nobody = policy
      .replace('[k8s.pods.list, k8s.scale]', '[k8s.scale]')
      .replace('[k8s.pods.list], units: [电商]', '[mysql.kill], units: [电商]')
      .replace("['k8s.*'], units: [支付], new: allowed", '[k8s.scale], units: [支付]');
    expect(await report(nobody)).toContain(`
Nobody may run
  app.flush (change, 改): no role grants it where it can be run, in 物流
  k8s.pods.list (read, 看): no role grants it
  k8s.scale (change, 改): who is granted it is not known to have what it needs, k8s.pods.list
  mysql.kill (change, 改): who is granted it is not known to have what it needs, k8s.pods.list
`);
  });

  test('takes what only a department may do for no single person', async () => {
    const alone = async (text: string) => (await lines(text)).slice(-3);
    expect(await alone(policy.replace('users: [wangwu] }', 'departments: [8] }'))).toContain('  none');
    expect(await alone(policy.replace('users: [wangwu] }', 'users: [wangwu], departments: [8] }'))).toContain(
      '  none',
    );
  });

  test('fits into 100 columns, however many units and whatever they are called, and leaves nothing out', async () => {
    const units = Array.from(
      { length: 40 },
      (_, at) => `第${at}事业部${'跨境电商与国际物流'.repeat(at % 4)}`,
    );
    const { write, writeOperations, run } = reviewFolder();
    const names = Array.from({ length: 9 }, (_, at) => `a${at}.${'long-name-of-something'.repeat(at % 4)}x`);
    const folder = writeOperations('many', Object.fromEntries(names.map((name) => [name, 'change'])));
    const text = [
      'units:',
      ...units.map((unit) => `  ${unit}: { environment: test, mysql: [${Array(20).fill('shop-db')}] }`),
      `roles: { r: { members: { users: [${Array.from({ length: 60 }, (_, at) => `user-number-${at}`)}] },`,
      `  grants: [{ operations: [${names}], units: [${units}] }] } }`,
    ].join('\n');
    const printed = (await run('--operations', folder, '--file', write('policy.yaml', text))).text;
    expect(printed.split('\n').filter((line) => widthOf(line) > 100)).toEqual([]);
    expect(printed.match(/change(?=\s)/g)).toHaveLength(units.length * names.length);
    expect(printed.match(/user-number-\d+/g)).toHaveLength(60);
  });

  test('shows nothing that a terminal would obey', async () => {
    const shown = (await lines(policy.replaceAll('context: any', 'context: "a\\e[31m\\nb"'))).join('\n');
    expect(shown).toContain('kubernetes.context: a\\u001b[31m↵b');
    expect(shown).not.toContain('\u001b');
  });
});

describe('the answer for one person', () => {
  const people = policy
    .replace('departments: [7]', 'departments: [7, wecom-callback/shop/9]')
    .replace('users: [zhangsan, wangwu]', 'users: [ZhangSan, wecom-callback/shop/Zhaoliu]');
  const ask = async (...args: readonly string[]) => {
    const { write, run } = reviewFolder();
    const { text, exitCode } = await run('--file', write('policy.yaml', people), ...args);
    expect(exitCode).toBe(0);
    expect(text.slice(0, HEAD.length)).toBe(HEAD);
    return text.slice(HEAD.length);
  };
  const rights = `
                 电商    支付
  k8s.pods.list  read    read
  k8s.scale      change  change
`;
  const remark = '\nWithout departments; the policy names 7, wecom-callback/shop/9: see --departments\n';

  test.each([
    [['--user', 'zhangsan'], 'zhangsan', 'by name', true],
    [['--user', 'zhangSAN', '--departments', '8'], 'zhangsan', 'by name', false],
    [['--user', 'mallory', '--departments', '8,7'], 'mallory', 'by department 7', false],
    [['--user', 'zhangsan', '--departments', '7'], 'zhangsan', 'by name, by department 7', false],
    [
      ['--user', 'wecom-callback/shop/mallory', '--departments', '7,9'],
      'wecom-callback/shop/mallory',
      'by department wecom-callback/shop/9',
      false,
    ],
    [
      ['--user', 'wecom-callback/shop/ZHAOLIU', '--departments', '7'],
      'wecom-callback/shop/zhaoliu',
      'by name',
      false,
    ],
  ])('%j: the role of %s, %s', async (args, user, by, isPartial) => {
    const wanted = `\n${user}\n  sre: ${by}\n${rights}${isPartial ? remark : ''}`;
    expect(await ask(...args)).toBe(wanted);
  });

  test.each([
    ['mallory', ['--departments', '9']],
    ['zhaoliu', ['--departments', '8']],
    ['wecom-callback/bank/zhangsan', ['--departments', '7,9']],
  ])('%s with %j may do nothing', async (user, args) => {
    expect(await ask('--user', user, ...args)).toBe(`\n${user} may do nothing.\n`);
  });
});
