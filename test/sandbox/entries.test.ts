import { afterAll, describe, expect, test } from 'vitest';
import { catalogue } from '#test/operations.ts';
import { fakeOps, loadMenu, phoneWith } from '#test/phone.ts';
import { buildTree } from '../../src/menu/tree/build.ts';
import { Unavailable } from '../../src/menu/tree/context.ts';
import type { Node } from '../../src/menu/tree/tree.ts';
import { readEntries } from '../../src/sandbox/entries.ts';
import { createSandbox } from '../../src/sandbox/sandbox.ts';
import { answering, ROOT, type Sandboxed, sandboxed } from './sandboxed.ts';

const closers: (() => void)[] = [];
afterAll(() => {
  for (const close of closers) close();
});
function open(files: Readonly<Record<string, string>>): Sandboxed {
  const made = sandboxed(files);
  closers.push(made.close);
  return made;
}

/** What of an entry is data. */
function dataOf({ file, number, entry, children }: Node): unknown {
  const { within, ...parts } = entry;
  const plain = JSON.parse(JSON.stringify({ ...parts, within: within?.title }));
  return [file, number, plain, [...children.values()].map(dataOf)];
}

test('the menus of this repository are the same there, and a conversation with them too', async () => {
  const sandbox = createSandbox({ onStopped: (...stopped) => expect(stopped).toBe(''), now: Date.now });
  closers.push(sandbox.close);
  const { files, generation } = await sandbox.loadFiles('menus');
  const tree = buildTree(files, generation, catalogue);
  const here = await loadMenu('menus');
  expect(dataOf(tree.root)).toEqual(dataOf(here.root));
  expect(tree.generation).toBe(here.generation);
  const web = { key: 'shop/web', label: 'web', namespace: 'shop', name: 'web' };
  for (const menu of [tree, here]) {
    const ops = fakeOps({
      'units.list': () => ['电商'],
      'k8s.deployments.list': () => Object.assign([web], { unread: ['a namespace'] }),
      'k8s.pods.list': () => [],
      'k8s.scale': { lines: ({ replicas }: { replicas: number }) => [`→ ${replicas}`], run: () => 'done' },
    });
    const phone = await phoneWith(menu, { ops });
    expect(await phone.say('电商', '1', '2')).toContain('没有列全：a namespace');
    expect(await phone.say('web', '三')).toContain('→ 3');
    expect(await phone.say('1')).toContain('done');
    expect(ops.calls.at(-1)).toEqual([
      'k8s.scale',
      { unit: '电商', namespace: 'shop', name: 'web', replicas: 3 },
    ]);
    expect(await phone.say('0', '4', 'web')).toContain('没有记录。');
  }
});

test('a question with a pattern or a parse of its own is read there', async () => {
  const menu = open({
    'index.ts': ROOT,
    '1-a.ts': `import { action, text } from '#menu';
      export default action({ title: 'a', ask: {
        name: text('名字', { pattern: /^[a-z]+$/ }),
        size: { question: '大小', parse: (typed) => (/^[0-9]+$/.test(typed) ? Number(typed) : { problem: '要数字' }) },
      }, run: (_, { name, size }) => name + ' ' + (size + 1) });`,
  });
  const phone = await menu.phone(await menu.load());
  expect(await phone.say('1', 'A1')).toContain('格式不对');
  expect(await phone.say('abc', 'x')).toContain('要数字');
  expect(await phone.say('0')).toContain('要填 0 请输入 00');
  expect(await phone.say('三')).toContain('abc 4');
  expect(phone.path()).toBe('1-abc-3');
});

test('what the platform refuses is said by its own sentence, also when the entry takes it up', async () => {
  const menu = open({
    'index.ts': ROOT,
    '1-a.ts': answering(`return (await context.ops.call('x.list', {})).join()`),
    '2-b.ts': answering(
      `try { await context.ops.call('x.list', {}) } catch (error) { return String(error instanceof Unavailable) + error.message }`,
      `import { Unavailable } from '#menu';`,
    ),
    '3-c.ts': answering(`throw new Unavailable('现在没有。')`, `import { Unavailable } from '#menu';`),
  });
  const phone = await menu.phone(await menu.load(), {
    'x.list': () => {
      throw new Unavailable('没有权限。');
    },
  });
  expect(await phone.say('1')).toContain('没有权限。');
  expect(await phone.say('2')).toContain('true没有权限。');
  expect(await phone.say('0', '3')).toContain('现在没有。');
});

test('what an entry throws is an error with its file and line, and what the platform broke with is its cause', async () => {
  const menu = open({
    'index.ts': ROOT,
    '1-a.ts': answering(`\n  undefined.x;`),
    '2-b.ts': answering(`await context.ops.call('x.list', {});`),
  });
  const tree = await menu.load();
  await expect((await menu.phone(tree)).say('1')).rejects.toThrow(
    /^1-a\.ts › run: TypeError: .*\n.*1-a\.ts:4:/,
  );
  const phone = await menu.phone(tree, {
    'x.list': () => {
      throw new Error('a bug');
    },
  });
  await expect(phone.say('2')).rejects.toMatchObject({
    message: expect.stringContaining('2-b.ts › run: Error: the platform could not be asked'),
    cause: { message: 'a bug' },
  });
  expect(menu.stopped).toEqual([]);
});

test('an entry that stands within another folder than it says is named', async () => {
  const menu = open({
    'index.ts': ROOT,
    '1-a/index.ts': ROOT,
    '2-b.ts': `import { action } from '#menu';\nimport a from './1-a/index.ts';\nexport default action(a, { title: 'b', run: () => '' });`,
    '3-c.ts': `import { action, folder } from '#menu';\nexport default action(folder({ title: 'x' }), { title: 'c', run: () => '' });`,
  });
  await expect(menu.load()).rejects.toMatchObject({
    problems: [
      '2-b.ts: says it is within "首页" but does not stand under its index.ts; move it',
      '3-c.ts: says it is within "x" but does not stand under its index.ts; move it',
    ],
  });
});

const action = { kind: 'action', title: 'a', ask: {}, run: { function: true } };
const operation = { kind: 'operation', title: 'a', runs: 'x', ask: {}, input: { function: true } };
const wrong: readonly (readonly [what: string, entry: unknown, problem: string])[] = [
  ['a title that is none', { ...action, title: 1 }, 'its title is no text'],
  ['needs that are none', { ...action, needs: [] }, 'its needs is no text'],
  ['an action without run', { ...action, run: undefined }, 'has no run(); it answers the reply'],
  ['a run that is no function', { ...action, run: 'x' }, 'has no run(); it answers the reply'],
  ['an input that is no function', { ...operation, input: {} }, 'its input is no function of the answers'],
  ['a question that is none', { ...action, ask: { x: 7 } }, 'the question "x" is none; make it with'],
  ['one without words', { ...action, ask: { x: { load: { function: true } } } }, 'the question "x" is none'],
  [
    'one without an answer',
    { ...action, ask: { x: { question: 'x' } } },
    'the question "x" has neither options nor',
  ],
  [
    'an unknown form',
    { ...action, ask: { x: { question: 'x', form: { kind: 'y' } } } },
    'has no form that is known',
  ],
  [
    'a form without its bounds',
    { ...action, ask: { x: { question: 'x', form: { kind: 'integer', min: '1' } } } },
    'has no form',
  ],
];

describe('of what the program says nothing is believed:', () => {
  test.each(wrong)('%s', (_, entry, problem) => {
    const described = [JSON.stringify({ path: '1-a.ts', entry })];
    const reading = () => readEntries(described, async () => ({}));
    expect(reading).toThrow(`1-a.ts: `);
    expect(reading).toThrow(problem);
  });

  const answers: readonly (readonly [what: string, entry: string, problem: RegExp])[] = [
    ['a reply that is no text', `run: () => ({})`, /1-a\.ts: run\(\) answered no text/],
    [
      'no list',
      `ask: { x: choice('x', async () => 'abc') }, run: () => ''`,
      /1-a\.ts › ask › x: answered no list/,
    ],
    [
      'a list of numbers',
      `ask: { x: choice('x', async () => [1]) }, run: () => ''`,
      /answered no list of texts/,
    ],
    [
      'an option without a key',
      `ask: { x: choice('x', async () => [{ label: 'x' }]) }, run: () => ''`,
      /answered no list/,
    ],
    [
      'more options than fit',
      `ask: { x: choice('x', async () => Array(20001).fill('x')) }, run: () => ''`,
      /answered no list/,
    ],
    [
      'an answer too large to keep',
      `ask: { x: { question: 'x', parse: () => 'x'.repeat(20000) } }, run: () => ''`,
      /answered nothing, or more/,
    ],
    [
      'a problem that is no text',
      `ask: { x: { question: 'x', parse: () => ({ problem: 1 }) } }, run: () => ''`,
      /its problem is no text/,
    ],
    ['what cannot be written', `run: () => ({ x: 1n })`, /BigInt/],
  ];
  test.each(answers)('%s', async (_, parts, problem) => {
    const text = `import { action, choice } from '#menu';\nexport default action({ title: 'a', ${parts} });`;
    const menu = open({ 'index.ts': ROOT, '1-a.ts': text });
    const phone = await menu.phone(await menu.load());
    await expect(phone.say('1', '1')).rejects.toThrow(problem);
  });
});
