import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { dropSettings } from '../../src/config.ts';
import { createDeclared } from '../../src/ops/declared/index.ts';
import { loadOperations } from '../../src/ops/operations/load.ts';
import { type OpsHarness, openOpsHarness, type Replica, until } from './ops-harness.ts';

const readDeclared = createDeclared({ environment: undefined });
const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

function folderOf(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-operations-'));
  directories.push(directory);
  writeInto(directory, files);
  return directory;
}

function writeInto(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}

const IMPORTS = `import * as z from 'zod';\nimport { change, read, unit } from '#operations';\n`;
const lookAt = (title: string, more = '') => `${IMPORTS}${more}
export default read({
  title: '${title}',
  input: z.strictObject({ unit }),
  output: z.array(z.string()),
  run: async () => ['一', '二'],
});
`;
/** A change of a number that stands in the environment of the test; \`more\` are further properties of its input. */
const counting = (title: string, { more = '', line = '加一' } = {}) => `${IMPORTS}
export default change({
  title: '${title}',
  input: z.strictObject({ unit, ${more} }),
  inspect: async () => ({ target: '计数', lines: ['${line}'], risk: 'low' }),
  apply: async () => {
    globalThis.counted = (globalThis.counted ?? 0) + 1;
  },
});
`;
const load = (files: Readonly<Record<string, string>>) => loadOperations(folderOf(files), readDeclared);

test('a file is an operation, and its path is its name', async () => {
  const { operations } = await load({
    'k8s/pods/list.ts': lookAt('Pod', `import { extra } from '../_shared.ts';\nvoid extra;`),
    'k8s/_shared.ts': 'export const extra = 1;',
    'app/flush.yaml': 'kind: sql\ntitle: 表\nrisk: read\nsql: { database: a, query: "select 1" }',
    'README.md': '# for people',
    '.hidden/x.ts': 'syntax error',
    'k8s/.scale.ts.swp': 'of vim',
    'k8s/scale.ts~': 'a copy',
    'k8s/#scale.ts#': 'of emacs',
  });
  expect([...operations.keys()].sort()).toEqual(['app.flush', 'k8s.pods.list']);
  expect(operations.get('k8s.pods.list')?.input).toMatchObject({ type: 'object', required: ['unit'] });
});

test.each<[what: string, files: Readonly<Record<string, string>>, problem: RegExp]>([
  ['a name with capitals', { 'k8s/Scale.ts': lookAt('a') }, /k8s\/Scale\.ts: name it with small letters/],
  ['a folder with a space', { 'my ops/a.ts': lookAt('a') }, /my ops\/: name it with small letters/],
  [
    'no default export',
    { 'a.ts': 'export const x = 1;' },
    /a\.ts: has no default export made by read\(\) or change\(\)/,
  ],
  ['a file that does not parse', { 'a.ts': 'export default {' }, /a\.ts: cannot be loaded/],
  [
    'two files of one name',
    {
      'a.ts': lookAt('a'),
      'a.yaml': 'kind: sql\ntitle: 表\nrisk: read\nsql: { database: a, query: "select 1" }',
    },
    /a\.yaml: has the name of a\.ts; give one of them another/,
  ],
  [
    'a name of the platform',
    { 'units/list.ts': lookAt('a') },
    /units\/list\.ts: units\.list is an operation of the platform itself/,
  ],
  ['no title', { 'a.ts': lookAt('') }, /a\.ts: has no title/],
  [
    'a title of two lines',
    { 'a.ts': lookAt('a\\nb') },
    /a\.ts: the title is over 30 characters or not one plain line/,
  ],
  [
    'an input without unit',
    { 'a.ts': lookAt('a').replace('{ unit }', '{ name: z.string() }') },
    /a\.ts: its input is no object with `unit`/,
  ],
  [
    'an input without a schema',
    { 'a.ts': lookAt('a').replace('{ unit }', '{ unit, at: z.date() }') },
    /a\.ts: its input has no JSON Schema/,
  ],
  ['a declaration of no kind', { 'a.yaml': 'title: 表' }, /a\.yaml: kind: is one of/],
  ['what is no YAML', { 'a.yaml': 'a: [*.list]' }, /a\.yaml: the file is wrong at line 1, column 5/],
  [
    'a need that is not there',
    { 'a.yaml': 'kind: sql\ntitle: 表\nrisk: read\nneeds: [b]\nsql: { database: a, query: "select 1" }' },
    /a\.yaml: needs "b", which is no operation of this folder/,
  ],
  [
    'fs',
    { 'a.ts': `import 'node:fs';\n${lookAt('a')}` },
    /a\.ts: imports "node:fs"; an operation imports #operations, zod/,
  ],
  [
    'the platform',
    { 'a.ts': `import '../../src/config.ts';\n${lookAt('a')}` },
    /a\.ts: imports "\.\.\/\.\.\/src\/config\.ts"; an operation imports/,
  ],
  [
    'another operation',
    { 'a.ts': `import './b.ts';\n${lookAt('a')}`, 'b.ts': lookAt('b') },
    /a\.ts: imports "\.\/b\.ts"; an operation imports/,
  ],
  [
    'fs later',
    { 'a.ts': `await import('node:child_process');\n${lookAt('a')}` },
    /a\.ts: imports "node:child_process"/,
  ],
  [
    'what may not be imported, by a shared file',
    { 'a.ts': `import './_b.ts';\n${lookAt('a')}`, '_b.ts': `import 'undici';` },
    /_b\.ts: imports "undici"/,
  ],
])('%s is refused with file and remedy', async (_what, files, problem) => {
  await expect(load(files)).rejects.toThrow(problem);
});

test('a definition is that of the file and of what it may import, and of nothing else', async () => {
  const files = {
    'k8s/a.ts': lookAt('a', `import '../_top.ts';\nimport '../app/_far.ts';`),
    'k8s/_b.ts': 'export const b = 1;',
    'app/c.ts': lookAt('c'),
    'app/_far.ts': '',
    '_top.ts': '',
  };
  const definitionOf = async (changes: Readonly<Record<string, string>>) =>
    (await load({ ...files, ...changes })).operations.get('k8s.a')?.definition;
  const before = await definitionOf({});
  expect(await definitionOf({ 'app/c.ts': lookAt('d'), 'k8s/e.ts': lookAt('e') })).toBe(before);
  for (const shared of ['k8s/_b.ts', 'app/_far.ts', '_top.ts']) {
    expect(await definitionOf({ [shared]: 'export const other = 2;' }), shared).not.toBe(before);
  }
  expect(await definitionOf({ 'k8s/a.ts': lookAt('A') })).not.toBe(before);
});

describe('on running replicas', () => {
  let harness: OpsHarness;
  let ops: Replica;
  let other: Replica;
  const folders = { ops: '', other: '' };
  const zhangsan = { unit: '电商' };
  const counted = () => (globalThis as { counted?: number }).counted ?? 0;
  beforeAll(async () => {
    harness = await openOpsHarness({
      policy: `
units: { 电商: { environment: test } }
roles:
  all: { members: { users: [wangwu] }, grants: [{ operations: ['*'], units: '*', new: allowed }] }
  some: { members: { users: [zhangsan] }, grants: [{ operations: [app.add], units: [电商] }] }
`,
    });
    for (const name of ['ops', 'other'] as const) {
      folders[name] = join(harness.directory, name);
      writeInto(folders[name], { 'app/add.ts': counting('加一') });
    }
    ops = await harness.startReplica({ operationsDir: folders.ops });
    other = await harness.startReplica({ operationsDir: folders.other });
  });
  afterAll(() => harness.stop());

  test('a file that comes is there without a restart, and nobody has it whom the policy does not name', async () => {
    writeInto(folders.ops, { 'app/look.ts': lookAt('看') });
    await until(async () => (await ops.as('wangwu').post('app.look', zhangsan)).state === 'done');
    expect(await ops.as('zhangsan').post('app.look', zhangsan)).toMatchObject({ reason: 'policy' });
    expect(await ops.as('zhangsan').read('me', {})).toEqual({ 电商: ['app.add'] });
    expect(await ops.as('wangwu').read('me', {})).toEqual({ 电商: ['app.add', 'app.look'] });
    expect(await ops.as('nobody').post('app.look', zhangsan)).toMatchObject({ reason: 'policy' });
    expect(await other.as('wangwu').post('app.look', zhangsan)).toMatchObject({ reason: 'missing' });
  });

  test('a bad file is named to log and admins, and what was there goes on', async () => {
    writeInto(folders.ops, { 'app/bad.ts': `import 'node:fs';` });
    await ops.reload();
    expect(ops.logged).toContainEqual(
      expect.objectContaining({
        msg: 'the new operations is refused, the old one goes on',
        problems: [expect.stringContaining('app/bad.ts: imports "node:fs"')],
      }),
    );
    expect(await ops.as('wangwu').post('app.look', zhangsan)).toMatchObject({ state: 'done' });
    rmSync(join(folders.ops, 'app/bad.ts'));
    await ops.reload();
  });

  test('what was previewed under another definition is not run, and can be confirmed as it is now', async () => {
    writeInto(folders.other, { 'app/add.ts': counting('加一', { line: '加一，新的写法' }) });
    await other.reload();
    const before = counted();
    const shown = await ops.as('zhangsan').preview('app.add' as never, zhangsan as never);
    const refused = await other.as('zhangsan').run('app.add' as never, zhangsan as never, shown);
    expect(refused).toMatchObject({ state: 'refused', reason: 'moved', message: /定义刚刚更新过/ });
    expect(counted()).toBe(before);
    const fresh = refused.state === 'refused' ? refused.preview : undefined;
    expect(fresh?.lines).toEqual(['加一，新的写法']);
    expect(await other.as('zhangsan').run('app.add' as never, zhangsan as never, fresh as never)).toEqual({
      state: 'done',
      text: '加一 计数：已执行',
    });
    expect(counted()).toBe(before + 1);
    // The first preview is good where it was made, and for one run.
    expect(await ops.as('zhangsan').run('app.add' as never, zhangsan as never, shown)).toMatchObject({
      state: 'done',
    });
    expect(counted()).toBe(before + 2);
  });

  test('an input of another generation is refused by its form', async () => {
    writeInto(folders.other, { 'app/add.ts': counting('加一', { more: 'by: z.int().min(1).max(3)' }) });
    await other.reload();
    const shown = await ops.as('zhangsan').preview('app.add' as never, zhangsan as never);
    const before = counted();
    expect(await other.as('zhangsan').run('app.add' as never, zhangsan as never, shown)).toMatchObject({
      state: 'refused',
      reason: 'input',
    });
    expect(counted()).toBe(before);
  });

  /** A change of `ops` whose operation the other replica never had, left as a replica that dies leaves it. */
  const abandoned = async (name: string, state: 'started' | 'applied'): Promise<string> => {
    writeInto(folders.ops, { [`app/${name}.ts`]: counting('只在一边') });
    await ops.reload();
    const { id } = await ops.as('wangwu').preview(`app.${name}` as never, zhangsan as never);
    const now = harness.clock.now();
    await harness.sql(
      'update operations set state = ?, started_at = ?, lease_owner = ?, lease_until = ? where id = ?',
      [state, now, randomUUID(), now + 15_000, id],
    );
    await harness.reseal(id);
    rmSync(join(folders.ops, `app/${name}.ts`));
    return id;
  };

  test.each([
    ['started', '不知道有没有执行'],
    ['applied', '已提交'],
  ] as const)(
    'who waits for a change that is %s hears of it also when its operation is gone',
    async (state, known) => {
      const id = await abandoned(`gone-${state}`, state);
      // As if this replica had just been started: what it began with is no longer held.
      for (const count of [1, 2, 3, 4]) {
        writeInto(folders.ops, { 'app/_count.ts': `export const count = '${state}${count}';` });
        await ops.reload();
      }
      const toldOf = () =>
        harness.push.attempts
          .filter(({ idempotencyKey }) => idempotencyKey.includes(id))
          .map(({ text }) => text);
      const open = `计数：${known}，现在看不到实际状态。会一直查下去，查到后告诉你，请不要重复操作`;
      harness.clock.pass(150_000);
      await ops.sweep();
      await until(async () => toldOf().length > 0);
      harness.clock.pass(24 * 3_600_000);
      await ops.sweep();
      await harness.told(id);
      const end = `app.gone-${state} 计数：${known}，平台上已没有这个操作，请自行确认`;
      expect(toldOf()).toEqual([open, end]);
    },
  );

  test('what names a unit or a service that the policy does not have is named, and nobody has it there', async () => {
    const text = `kind: sql\ntitle: 表\nrisk: read\nunits: [电商, 没有]\nsql: { database: a, query: "select 1" }`;
    writeInto(folders.ops, {
      'app/where.yaml': text,
      'app/elsewhere.yaml': text.replace('[电商, 没有]', '[没有]'),
    });
    await ops.reload();
    expect(ops.logged).toContainEqual(
      expect.objectContaining({
        msg: 'the policy has no such services or units, so nobody has these operations there',
        missing: ['app/elsewhere.yaml: 没有', 'app/where.yaml: 没有'],
      }),
    );
    const { 电商: names } = await ops.as('wangwu').read('me', {});
    expect(names).toContain('app.where');
    expect(names).not.toContain('app.elsewhere');
    expect(await ops.as('wangwu').post('app.elsewhere', zhangsan)).toMatchObject({ reason: 'policy' });
  });

  test('a change whose lines read otherwise right before its effect is not run', async () => {
    writeInto(folders.ops, {
      'app/add.ts': counting('加一').replace(
        "lines: ['加一']",
        'lines: [String((globalThis.looks = (globalThis.looks ?? 0) + 1))]',
      ),
    });
    await ops.reload();
    const shown = await ops.as('zhangsan').preview('app.add' as never, zhangsan as never);
    const before = counted();
    expect(await ops.as('zhangsan').run('app.add' as never, zhangsan as never, shown)).toMatchObject({
      reason: 'moved',
    });
    expect(counted()).toBe(before);
  });
});

test('an operation finds no setting of Keypad in its environment', () => {
  const env = { OPS_AUDIT_KEY: 'k', MYSQL_URL_FILE: 'f', PATH: '/bin', HTTPS_PROXY: 'p' };
  dropSettings(env);
  expect(env).toEqual({ PATH: '/bin', HTTPS_PROXY: 'p' });
});
