import { describe, expect, test } from 'vitest';
import { operations, policy, reviewFolder } from './review-harness.ts';

const HEAD = `new.yaml, over the operations in operations
against old.yaml, over the operations in operations
Contexts and instances are as the file names them: no cluster, MySQL or setting was looked at.
`;

/** An edit of the policy: what stands there, and what stands there then. */
type Edit = readonly (readonly [from: string, to: string])[];

function edited(edits: Edit): string {
  return edits.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the policy has no ${from}`);
    return text.replaceAll(from, to);
  }, policy);
}

async function compare(before: string, after: string, ...args: readonly string[]) {
  const { write, run } = reviewFolder();
  const files = ['--file', write('new.yaml', after), '--against', write('old.yaml', before)];
  const { text, exitCode } = await run(...files, ...args);
  expect(text.slice(0, HEAD.length)).toBe(HEAD);
  return { text: text.slice(HEAD.length), exitCode };
}

describe('what changed is told', () => {
  const cases: readonly (readonly [what: string, edits: Edit, told: string])[] = [
    [
      'of a person who comes',
      [['users: [zhangsan, wangwu]', 'users: [zhangsan, wangwu, wecom-callback/shop/Zhaoliu]']],
      `What people may do
  wecom-callback/shop/zhaoliu (could do nothing before)
    + 电商, 支付: k8s.pods.list, k8s.scale`,
    ],
    [
      'of people who go',
      [['users: [zhangsan, wangwu]', 'users: []']],
      `What people may do
  wangwu
    - 电商: k8s.pods.list, k8s.scale
  zhangsan (may do nothing any more)
    - 电商, 支付: k8s.pods.list, k8s.scale`,
    ],
    [
      'of a department',
      [['departments: [7]', 'departments: [8]']],
      `What people may do
  department 8 (could do nothing before)
    + 电商, 支付: k8s.pods.list, k8s.scale
  department 7 (may do nothing any more)
    - 电商, 支付: k8s.pods.list, k8s.scale`,
    ],
    [
      'of operations, for all together who get them',
      [
        [
          '[k8s.pods.list, k8s.scale], units: [电商, 支付]',
          '[k8s.pods.list, app.flush], units: [电商, 支付]',
        ],
      ],
      `What people may do
  zhangsan, department 7
    + 电商, 支付: app.flush
    - 电商, 支付: k8s.scale
  wangwu
    + 电商, 支付: app.flush
    - 电商: k8s.scale`,
    ],
    [
      'of a unit that disappears, and of all that was allowed there',
      [
        ['  支付: { environment: production, kubernetes: { context: any, namespaces: [pay] } }\n', ''],
        ['units: [电商, 支付]', 'units: [电商]'],
        [", { operations: ['k8s.*'], units: [支付], new: allowed }", ''],
      ],
      `What people may do
  zhangsan, department 7
    - 支付: k8s.pods.list, k8s.scale
  wangwu
    - 支付: k8s.pods.list, k8s.scale, mysql.kill, k8s.* (added later)

Units
  支付 (is gone)
    - environment: production
    - kubernetes.context: any
    - kubernetes.namespaces: pay
    - limits.replicas: 50`,
    ],
    [
      'of a unit that comes, for whom every unit is granted',
      [['  "2":', '  物流: { environment: test }\n  "2":']],
      `What people may do
  wangwu
    + 物流: mysql.kill

Units
  物流 (is new)
    + environment: test
    + limits.replicas: 50`,
    ],
    [
      'of what a unit reaches and may not pass',
      [
        ['  "2": { environment: production }', '  "2": { environment: test, limits: { replicas: 100 } }'],
        [
          'context: any, namespaces: [shop] }, mysql: [shop-db]',
          'context: other, namespaces: [web, api] }, mysql: [b, a]',
        ],
      ],
      `Units
  电商
    - kubernetes.context: any
    - kubernetes.namespaces: shop
    - mysql: shop-db
    + kubernetes.context: other
    + kubernetes.namespaces: web
    + kubernetes.namespaces: api
    + mysql: b
    + mysql: a
  2
    - environment: production
    - limits.replicas: 50
    + environment: test
    + limits.replicas: 100`,
    ],
    [
      'of what is granted in advance, though nobody has more today',
      [['[k8s.pods.list, k8s.scale], units: [电商, 支付]', "['k8s.*'], units: [电商, 支付], new: allowed"]],
      `What people may do
  zhangsan, department 7
    + 电商, 支付: k8s.* (added later)
  wangwu
    + 电商: k8s.* (added later)`,
    ],
    [
      'of a wider pattern, which takes nothing of the narrower one away',
      [["['k8s.*'], units: [支付]", "['*'], units: [支付]"]],
      `What people may do
  wangwu
    + 支付: app.flush, * (added later)`,
    ],
    [
      'of units that are granted in advance',
      [["[mysql.kill], units: '*'", '[mysql.kill], units: [电商, "2", 支付]']],
      `What people may do
  wangwu
    - units added later: mysql.kill`,
    ],
    [
      'of the order of units on the first screen',
      [
        ['  电商: {', '  X: {'],
        ['  "2": { environment: production }\n', ''],
        ['roles:\n', '  "2": { environment: production }\nroles:\n'],
        ['  X: {', '  电商: {'],
      ],
      `Besides
  the order of units on the first screen
    - 电商, 2, 支付
    + 电商, 支付, 2`,
    ],
    [
      'of a role that is called admin no more, whose users heard of refused files',
      [['  admin:', '  administrators:']],
      `Besides
  who hears of files that are refused (the users of the role admin)
    - lisi`,
    ],
  ];
  test.each(cases)('%s', async (_what, edits, told) => {
    expect(await compare(policy, edited(edits))).toEqual({ text: `\n${told}\n`, exitCode: 1 });
  });

  test('of operations that came, went, or are of another kind since the other folder', async () => {
    const { write, writeOperations, run } = reviewFolder();
    const { 'app.flush': _, ...others } = operations;
    const before = writeOperations('before', { ...others, 'k8s.pods.list': 'change', 'k8s.pause': 'change' });
    const file = write('policy.yaml', policy.replace('[app.flush]', '[mysql.kill]'));
    const { text, exitCode } = await run('--file', file, '--against', file, '--against-operations', before);
    expect(exitCode).toBe(1);
    expect(text).toContain('\nagainst policy.yaml, over the operations in before\n');
    expect(text.slice(text.indexOf('\n\n'))).toBe(`

What people may do
  wangwu
    - 支付: k8s.pause (no such operation any more)

Operations
  app.flush (is new)
    + kind: change
    + title: 改
  k8s.pods.list
    - kind: change
    - title: 改
    + kind: read
    + title: 看
  k8s.pause (is gone)
    - kind: change
    - title: 改
`);
  });

  test('of an operation that only the older policy can name', async () => {
    const old = policy.replace('[k8s.pods.list], units: [电商]', '[k8s.pods.list, app.pause], units: [电商]');
    expect(await compare(old, policy)).toEqual({
      text: '\nWhat people may do\n  lisi\n    - 电商: app.pause (no such operation any more)\n',
      exitCode: 1,
    });
    const pattern = old.replace('app.pause], units: [电商]', "'pause.*'], units: [电商], new: allowed");
    expect((await compare(pattern, policy)).text).toContain('    - 电商: pause.* (added later)\n');
  });

  test('for one person, with what their departments give', async () => {
    const moved = edited([['users: [zhangsan, wangwu], departments: [7]', 'departments: [7, 8]']]);
    expect((await compare(policy, moved, '--user', 'ZhangSan')).text).toBe(
      '\nWhat people may do\n  zhangsan (may do nothing any more)\n    - 电商, 支付: k8s.pods.list, k8s.scale\n',
    );
    const inDepartment = await compare(policy, moved, '--user', 'zhangsan', '--departments', '8');
    expect(inDepartment).toEqual({ text: '\nNo change of rights.\n', exitCode: 0 });
    expect((await compare(policy, moved, '--user', 'lisi')).exitCode).toBe(0);
  });
});

describe('no change of rights is', () => {
  const cases: readonly (readonly [what: string, edits: Edit])[] = [
    ['the same file', []],
    ['a role with another name', [['  sre:', '  operators:']]],
    [
      'another order of roles, people, operations and targets',
      [
        [
          '[k8s.pods.list, k8s.scale], units: [电商, 支付]',
          '[k8s.scale, k8s.pods.list], units: [支付, 电商]',
        ],
        ['users: [zhangsan, wangwu]', 'users: [wangwu, zhangsan]'],
      ],
    ],
    [
      'capitals',
      [
        ['users: [zhangsan, wangwu]', 'users: [ZhangSan, WangWu]'],
        ['users: [LiSi]', 'users: [lisi]'],
      ],
    ],
    [
      'the default account by its whole name',
      [['users: [zhangsan', 'users: [wecom-callback/default/ZhangSan']],
    ],
    [
      'a limit that was the default',
      [['"2": { environment: production }', '"2": { environment: production, limits: { replicas: 50 } }']],
    ],
    ['a comment', [['roles:', '# who\nroles:']]],
    [
      'a right that is given twice',
      [['[k8s.pods.list], units: [电商]', '[k8s.pods.list, k8s.pods.list], units: [电商]']],
    ],
    ['a pattern inside of a wider one', [["['k8s.*']", "['k8s.*', 'k8s.**', 'k8s.pods.*']"]]],
    [
      'a role that nobody has',
      [['  idle:', '  idle2: { members: {}, grants: [{ operations: [mysql.kill], units: "*" }] }\n  idle:']],
    ],
  ];
  test.each(cases)('%s', async (_what, edits) => {
    expect(await compare(policy, edited(edits))).toEqual({ text: '\nNo change of rights.\n', exitCode: 0 });
  });
});
