import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { grantable, operationNames } from '#test/operations.ts';
import { platform } from '../../src/contract/platform.ts';
import { principal } from '../../src/contract/principal.ts';
import { ConfigError } from '../../src/errors.ts';
import { readPlatform } from '../../src/ops/operations/platform.ts';
import { fits, readPolicy } from '../../src/ops/policy/document.ts';
import { createPolicy } from '../../src/ops/policy/policy.ts';
import { type OpsHarness, openOpsHarness, type Replica, until } from './ops-harness.ts';

/** A kubeconfig that has these contexts. */
function only(...contexts: readonly string[]) {
  return (name: string) => (contexts.includes(name) ? undefined : `KUBECONFIG has no context "${name}"`);
}

const targets = {
  contextProblem: only('demo'),
  instances: ['shop-db', 'pay-db'],
  operations: operationNames,
};
const demo = readFileSync('deploy/policy.yaml', 'utf8');

describe('the demo’s policy', () => {
  const policy = createPolicy(readPolicy(demo, targets), grantable);
  const all = operationNames;
  const developer = ['k8s.deployments.list', 'k8s.pods.list', 'k8s.restart', 'mysql.processlist'];
  const golden: readonly (readonly [string, Record<string, readonly string[]>])[] = [
    ['zhangsan', { 电商: all, 支付: all }],
    ['wangwu', { 电商: all, 支付: all }],
    ['lisi', { 电商: developer }],
    ['LiSi', { 电商: developer }],
    ['mallory', {}],
  ];
  test.each(golden)('gives %s what it should, and nothing else', (user, rights) => {
    const subject = { user: principal.parse(user), departments: [] };
    const granted = Object.fromEntries(
      policy.rights(subject).map(([unit, names]) => [unit, [...names].sort()]),
    );
    expect(granted).toEqual(
      Object.fromEntries(Object.entries(rights).map(([unit, names]) => [unit, [...names].sort()])),
    );
    for (const unit of ['电商', '支付', '没有', undefined, '__proto__']) {
      for (const name of all) {
        const expected =
          unit !== undefined && Object.hasOwn(rights, unit) && rights[unit]?.includes(name) === true;
        expect([unit, name, policy.allows(subject, name, unit)]).toEqual([unit, name, expected]);
      }
    }
  });

  test('lets everybody look at and acknowledge what is their own, and nothing else without a unit', () => {
    const allowed = (user: string) =>
      [...Object.keys(platform), ...operationNames].filter((name) =>
        policy.allows({ user, departments: [] }, name, undefined),
      );
    const own = ['me', 'units.list', 'operation.settle', 'operation.received'];
    expect(allowed('wangwu')).toEqual(own);
    expect(allowed('mallory')).toEqual(own);
  });
});

test.each([
  ['电\u3000商', '电 商'],
  ['电   商', '电  商'],
  ['电商 ', '电商 '],
  ['电\u200b商', '电[U+200B]商'],
  ['\u202e电商', '[U+202E]电商'],
  ['电\n商', '电↵商'],
  ['<a>电商', '＜a>电商'],
])('a unit or a role called %j is refused, since the phone would show it otherwise', (name, shown) => {
  const quoted = JSON.stringify(name);
  const read = (from: RegExp) => () => readPolicy(demo.replaceAll(from, quoted), targets);
  const sentence = (what: string) =>
    `policy: ${what}."${shown}": a name is one line without markup, rows of blanks or signs that cannot be seen; write it anew, here and where it is used`;
  expect(read(/电商(?=[,:\]])/g)).toThrow(new ConfigError([sentence('units')]));
  expect(read(/\badmin(?=:)/g)).toThrow(new ConfigError([sentence('roles')]));
});

test('a department is as good a member as a person', () => {
  const text = demo.replace('users: [lisi]', 'departments: [7]');
  const policy = createPolicy(readPolicy(text, targets), grantable);
  const rights = (departments: number[]) =>
    policy.rights({ user: 'zhaoliu', departments }).map(([unit]) => unit);
  expect(rights([7])).toEqual(['电商']);
  expect(rights([8])).toEqual([]);
});

test('of the role admin its users hear of refused files, its departments do not, as the example says', () => {
  const admins = (members: string) =>
    createPolicy(readPolicy(demo.replace('users: [wangwu]', members), targets), grantable).admins;
  expect(admins('departments: [7]\n      users: [wangwu]')).toEqual(['wangwu']);
  expect(admins('departments: [7]')).toEqual([]);
  expect(demo).toMatch(/# The users of the role admin .*\n +# Its departments do not/);
});

describe('people of several accounts', () => {
  const rightsUnder = (members: string, user: string, departments: number[] = []) => {
    const policy = createPolicy(readPolicy(demo.replace('users: [lisi]', members), targets), grantable);
    return policy.rights({ user: principal.parse(user), departments }).map(([unit]) => unit);
  };

  test.each([
    ['users: [LiSi]', 'lisi', ['电商']],
    ['users: [lisi]', 'wecom-callback/shop/lisi', []],
    ['users: [wecom-callback/shop/LiSi]', 'wecom-callback/shop/lisi', ['电商']],
    ['users: [wecom-callback/shop/lisi]', 'wecom-callback/bank/lisi', []],
    ['users: [wecom-callback/shop/lisi]', 'lisi', []],
    ['users: [wecom-callback/default/lisi]', 'lisi', ['电商']],
  ])('%s for %s: %s', (members, user, units) => {
    expect(rightsUnder(members, user)).toEqual(units);
  });

  test.each([
    ['departments: [7]', 'zhaoliu', ['电商']],
    ['departments: [7]', 'wecom-callback/shop/zhaoliu', []],
    ['departments: [wecom-callback/shop/7]', 'wecom-callback/shop/zhaoliu', ['电商']],
    ['departments: [wecom-callback/shop/7]', 'wecom-callback/bank/zhaoliu', []],
    ['departments: [wecom-callback/shop/7]', 'zhaoliu', []],
  ])('department 7 of one enterprise is not that of another: %s for %s', (members, user, units) => {
    expect(rightsUnder(members, user, [7])).toEqual(units);
  });
});

test.each([
  ['k8s.*', 'k8s.scale', true],
  ['k8s.*.list', 'k8s.pods.list', true],
  ['k8s.*.list', 'k8s.list', false],
  ['*', 'mysql.kill', true],
  ['k8s.scale', 'k8s.scale2', false],
  ['k8s*scale*', 'k8s.scale', true],
  ['mysql.*', 'xmysql.kill', false],
])('%s fits %s: %s', (pattern, name, expected) => {
  expect(fits(pattern, name)).toBe(expected);
});

describe('a policy is refused by the place of its mistake', () => {
  const mistakes: readonly (readonly [string, string, string])[] = [
    ['empty', '', 'policy: the file is empty'],
    ['only comments', '# nothing', 'policy: the file is empty'],
    ['a list', '- a', 'policy: '],
    ['without roles', 'units: { a: { environment: test } }\nroles: {}', 'policy: roles: names no role'],
    [
      'without units',
      demo.replace(/units:[\s\S]*?\nroles:/, 'units: {}\nroles:'),
      'policy: units: names no unit',
    ],
    ['a misspelt key', demo.replace('environment: test', 'enviroment: test'), 'units.电商'],
    [
      'a unit that is not there',
      demo.replace('units: [电商, 支付]', 'units: [电商, 支付, 物流]'),
      'there is no unit "物流"',
    ],
    [
      'an operation that is not there',
      demo.replace('mysql.processlist', 'mysql.proceslist'),
      '"mysql.proceslist" fits no operation',
    ],
    [
      'the bot’s own operation',
      demo.replace('mysql.processlist', 'outcomes.*'),
      '"outcomes.*" fits no operation',
    ],
    [
      'an operation whose name is none',
      demo.replace(/mysql.processlist(?=\])/, '"mysql.(kill"'),
      'roles.shop-developer.grants.0.operations.3: not the name of an operation',
    ],
    [
      'a wildcard that would cover what is added later',
      demo.replace('        new: allowed\n', ''),
      'roles.admin.grants.0.operations.0: "*" would also grant operations that are added later; write `new: allowed`',
    ],
    ['a userid that is none', demo.replace('[lisi]', '["li si"]'), 'roles.shop-developer.members.users.0'],
    ...[
      [
        'a userid of digits',
        '[lisi]',
        '[100234]',
        'users.0: Invalid input: expected string, received number; a name that YAML reads as a number stands in quotes',
      ],
      ['a userid that YAML takes for an exponent', '[lisi]', '[1e5]', 'as a number stands in quotes'],
      [
        'a unit that YAML takes for a number',
        'units: [电商, 支付]',
        'units: [2]',
        'units: Invalid input; a name that YAML reads as a number stands in quotes',
      ],
      [
        'a namespace that YAML takes for a truth',
        'namespaces: [shop]',
        'namespaces: [true]',
        'as a boolean stands in quotes',
      ],
    ].map(
      ([what = '', from = '', to = '', place = '']) =>
        [`${what} without quotes`, demo.replace(from, to), place] as const,
    ),
    [
      'a user of a channel that is not known',
      demo.replace('[lisi]', '[pigeon/loft/lisi]'),
      'roles.shop-developer.members.users.0: is no user of a channel',
    ],
    [
      'a department that is none',
      demo.replace('users: [lisi]', 'departments: [wecom-callback/shop/x]'),
      'roles.shop-developer.members.departments.0',
    ],
    ['the bot as a user', demo.replace('[lisi]', '["@bot"]'), 'roles.shop-developer.members.users.0'],
    ['a key twice', `${demo}\nunits: {}`, 'this name stands here twice'],
    ['a context that is not there', demo.replace('context: demo', 'context: prod'), 'no context "prod"'],
    ['an instance that is not there', demo.replace('shop-db', 'stop-db'), 'no instance "stop-db"'],
    ['no YAML', 'units: [', 'policy: the file is no YAML: '],
    [
      'a bomb of aliases',
      `a: &a [x]\nunits: [${Array(20).fill('*a')}]`,
      'policy: the file has more than 10 aliases',
    ],
  ];
  test.each(mistakes)('%s', (_what, text, sentence) => {
    const read = () => readPolicy(text, targets);
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(sentence);
  });
});

describe('on the running platform', () => {
  let harness: OpsHarness;
  let ops: Replica;
  beforeAll(async () => {
    harness = await openOpsHarness({ policy: demo });
    ops = await harness.startReplica();
  });
  afterAll(() => harness.stop());

  const list = { unit: '电商' };
  const web = { unit: '电商', namespace: 'shop', name: 'web' };

  test('each user sees their units and rights', async () => {
    expect(await ops.as('zhangsan').read('units.list', {})).toEqual(['电商', '支付']);
    expect(await ops.as('lisi').read('units.list', {})).toEqual(['电商']);
    expect(await ops.as('mallory').read('units.list', {})).toEqual([]);
    expect(await ops.as('mallory').read('me', {})).toEqual({});
    expect((await ops.as('lisi').read('me', {})).电商).not.toContain('k8s.scale');
  });

  const denied: readonly (readonly [string, string, unknown])[] = [
    ['mallory', 'k8s.deployments.list', list],
    ['mallory', 'k8s.scale/preview', { ...web, replicas: 3 }],
    ['lisi', 'k8s.scale/preview', { ...web, replicas: 3 }],
    ['lisi', 'mysql.kill/preview', { unit: '电商', instance: 'shop-db', id: '1', query: 'q:1' }],
    ['lisi', 'k8s.deployments.list', { unit: '支付' }],
    ['wangwu', 'k8s.deployments.list', { unit: '没有' }],
    // Reaching out of the unit: its namespaces and instances are all there is.
    ['wangwu', 'k8s.pods.list', { unit: '电商', namespace: 'pay', name: 'settle' }],
    ['wangwu', 'k8s.scale/preview', { unit: '电商', namespace: 'pay', name: 'settle', replicas: 2 }],
    ['wangwu', 'k8s.restart/preview', { unit: '电商', namespace: 'kube-system', name: 'dns' }],
    ['wangwu', 'mysql.kill/preview', { unit: '电商', instance: 'pay-db', id: '1', query: 'q:1' }],
  ];
  test.each(denied)('%s may not %s %j', async (user, path, body) => {
    expect(await ops.as(user).post(path, body)).toMatchObject({ state: 'refused', reason: 'policy' });
  });

  test('rights are looked at again when a preview is confirmed', async () => {
    const shown = await ops.as('lisi').preview('k8s.restart', web);
    writeFileSync(harness.policyFile, demo.replace('users: [lisi]', 'users: [zhaoliu]'));
    await ops.reload();
    expect(await ops.as('lisi').run('k8s.restart', web, shown)).toMatchObject({ reason: 'policy' });
    writeFileSync(harness.policyFile, demo);
    await ops.reload();
    expect(await ops.as('lisi').run('k8s.restart', web, shown)).toMatchObject({ state: 'done' });
  });

  test.each([
    ['is no YAML', 'units: {'],
    ['has a wildcard without quotes', demo.replace("units: '*'", 'units: *all')],
    ['has a wildcard without quotes in a list', demo.replace('[k8s.deployments.list', '[*.list')],
    ['is no text', Buffer.from([0xff, 0xfe])],
    ['stands for more than it says', `a: &a [1]\nb: [${Array(1000).fill('*a').join()}]`],
  ])('a policy that %s is refused and the old one goes on', async (_, text) => {
    expect(text).not.toBe(demo);
    writeFileSync(harness.policyFile, text);
    await ops.reload();
    expect(await ops.as('lisi').read('units.list', {})).toEqual(['电商']);
    expect(await ops.metrics()).toContain('keypad_reload_refused{what="policy"} 1');
    writeFileSync(harness.policyFile, demo);
    await ops.reload();
    expect(await ops.metrics()).toContain('keypad_reload_refused{what="policy"} 0');
  });

  test('a changed file counts without being asked for, also when it is replaced', async () => {
    const next = `${harness.policyFile}.next`;
    writeFileSync(next, demo.replace('users: [lisi]', 'users: [lisi, mallory]'));
    renameSync(next, harness.policyFile);
    await until(async () => (await ops.as('mallory').read('units.list', {})).length > 0);
  });
});

test.each([
  ['/nowhere/policy.yaml', undefined, 'OPS_POLICY_FILE'],
  [undefined, '', 'the file is empty'],
])('the platform does not start with the policy %s', async (path, policy, sentence) => {
  const harness = await openOpsHarness(policy === undefined ? {} : { policy });
  await expect(harness.startReplica(path === undefined ? {} : { policyFile: path })).rejects.toThrow(
    sentence,
  );
  await harness.stop();
});

test('the admins hear of a policy that was refused', async () => {
  const harness = await openOpsHarness({ policy: demo });
  const ops = await harness.startReplica();
  writeFileSync(harness.policyFile, demo.replace('k8s.restart', 'k8s.restrat'));
  await ops.reload();
  await until(async () => {
    await ops.sweep();
    return harness.push.told('wangwu').some((text) => text.includes('"k8s.restrat" fits no operation'));
  });
  expect(harness.push.told('lisi')).toEqual([]);
  await harness.stop();
});

test('a unit stands where the file has it, also when it is called 2', async () => {
  const unit = '{ environment: test }';
  const policy = createPolicy(
    readPolicy(
      `units: { 乙: ${unit}, "2": ${unit}, 甲: ${unit}, 1: ${unit} }
roles: { r: { members: { users: [u] }, grants: [{ operations: [mysql.kill], units: "*" }] } }`,
      { contextProblem: only(), instances: [], operations: operationNames },
    ),
    grantable,
  );
  const subject = { user: principal.parse('u'), departments: [] };
  expect(readPlatform('units.list', policy, subject)).toEqual(['乙', '2', '甲', '1']);
});
