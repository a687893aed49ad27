import { expect, test } from 'vitest';
import { fakeOps, phoneWith } from '#test/phone.ts';
import { type Action, action, choice, folder, type Operation, operation } from '../../src/menu/index.ts';
import { buildTree } from '../../src/menu/tree/build.ts';
import type { Described } from '../../src/menu/tree/derive.ts';

type Properties = Readonly<Record<string, object>>;

/** An operation as a catalogue has it: all of these have to be given. */
const described = (properties: Properties, more: Partial<Described> = {}): Described => ({
  kind: 'change',
  title: '清空缓存',
  input: {
    type: 'object',
    properties: { unit: { type: 'string' }, ...properties },
    required: ['unit', ...Object.keys(properties)],
  },
  ...more,
});

const rows = { type: 'array', items: { type: 'object', required: ['key', 'label'] } };
const listed = described({}, { kind: 'read', title: '列表', output: rows });

const root = folder({
  title: '请选择事业部',
  ask: { unit: choice('请选择事业部', async () => ['电商', '支付']) },
});

function treeWith(
  operations: Readonly<Record<string, Described>>,
  entry: Operation | Action,
  generation = 'o1',
) {
  const files = [
    { path: 'index.ts', entry: root },
    { path: '1-flush.ts', entry },
  ];
  return buildTree(files, 'm1', { generation, find: (name) => operations[name] });
}

const flush = operation(root, { runs: 'app.flush' } as never);

test('an entry without code asks what the schema wants, in its words, and makes the input of the answers', async () => {
  const properties = {
    cache: { title: '哪个缓存', type: 'string', enum: ['goods', 'users'], labels: { goods: '商品' } },
    keep: { title: '保留几个', type: 'integer', minimum: 0, maximum: 10 },
    reason: { title: '原因', type: 'string', pattern: '^[a-z]+$', maxLength: 5 },
    dry: { title: '只演练', type: 'boolean' },
    key: { title: '哪一项', type: 'string', options: 'app.list', value: 'id' },
    fixed: { const: 7 },
  };
  const tree = treeWith({ 'app.flush': described(properties), 'app.list': listed }, flush);
  const ops = fakeOps({
    'app.list': () => [
      { key: 'a', label: '甲', id: 'id-a' },
      { key: 'b', label: '乙', id: 'id-b' },
    ],
    'app.flush': { lines: () => ['清空'], run: () => '已清空' },
  });
  const phone = await phoneWith(tree, { ops });
  expect(await phone.say('电商')).toContain('1 清空缓存');
  expect(await phone.say('1')).toMatch(/哪个缓存\n1 商品\n2 users/);
  expect(await phone.say('1')).toContain('保留几个（0–10');
  expect(await phone.say('11')).toContain('请输入 0 到 10 的整数');
  expect(await phone.say('3')).toContain('原因');
  expect(await phone.say('UPPER')).toContain('格式不对');
  expect(await phone.say('slowly')).toContain('请输入 1–5 个字');
  expect(await phone.say('slow')).toMatch(/只演练\n1 是\n2 否/);
  expect(await phone.say('2')).toMatch(/哪一项\n1 甲\n2 乙/);
  expect(await phone.say('2')).toContain('清空');
  expect(await phone.say('1')).toContain('已清空');
  const input = { unit: '电商', cache: 'goods', keep: 3, reason: 'slow', dry: false, key: 'id-b', fixed: 7 };
  expect(ops.calls).toContainEqual(['app.list', { unit: '电商' }]);
  expect(ops.calls.at(-1)).toEqual(['app.flush', input]);
});

test('what may be left out is not asked', async () => {
  const operation = described({ cache: { type: 'boolean' } });
  const optional = { ...operation, input: { ...operation.input, required: ['unit'] } };
  const ops = fakeOps({ 'app.flush': { lines: () => ['清空'], run: () => '已清空' } });
  const phone = await phoneWith(treeWith({ 'app.flush': optional }, flush), { ops });
  expect(await phone.say('电商', '1', '1')).toContain('已清空');
  expect(ops.calls.at(-1)).toEqual(['app.flush', { unit: '电商' }]);
});

test('a text has to match every pattern, also one that only an older form of JavaScript understands', async () => {
  const allOf = [{ pattern: '^[^b]*$' }, { pattern: '^\\_?a' }];
  const tree = treeWith({ 'app.flush': described({ x: { title: '哪个', type: 'string', allOf } }) }, flush);
  const ops = fakeOps({ 'app.flush': { lines: () => ['清空'], run: () => '已清空' } });
  const phone = await phoneWith(tree, { ops });
  await phone.say('电商', '1');
  expect(await phone.say('ab')).toContain('格式不对');
  expect(await phone.say('ca')).toContain('格式不对');
  expect(await phone.say('_ac', '1')).toContain('已清空');
});

test('a pattern that would take years for what is typed costs a moment, and is not matched', async () => {
  const x = { title: '哪个', type: 'string', pattern: '^(a+)+$' };
  const ops = fakeOps({ 'app.flush': { lines: () => ['清空'], run: () => '已清空' } });
  const phone = await phoneWith(treeWith({ 'app.flush': described({ x }) }, flush), { ops });
  await phone.say('电商', '1');
  expect(await phone.say(`${'a'.repeat(60)}!`)).toContain('格式不对');
});

test('what the platform words too long for the phone keeps no other entry away', () => {
  const long = '很'.repeat(30);
  const operations = {
    'app.flush': described({}, { title: long }),
    'app.asks': described({ x: { title: long.repeat(2), type: 'boolean' } }),
    'app.odd': described({ x: { type: 'string', pattern: '(' } }),
  };
  const files = [
    { path: 'index.ts', entry: root },
    { path: '1-long.ts', entry: flush },
    { path: '2-asks.ts', entry: operation(root, { runs: 'app.asks' } as never) },
    { path: '3-odd.ts', entry: operation(root, { runs: 'app.odd' } as never) },
    { path: '4-good.ts', entry: action({ title: '好', run: () => 'ok' }) },
  ];
  const names = new Map(Object.entries(operations));
  const { root: top, differences } = buildTree(files, 'm1', {
    generation: 'o1',
    find: (name) => names.get(name),
  });
  expect([...top.children.keys()]).toEqual([4]);
  expect(differences).toEqual([
    '1-long.ts: the title is over 60 bytes or more than one line; shorten it; its operation says so',
    '2-asks.ts: the question "x" is empty or over 120 bytes; shorten it; its operation says so',
    '3-odd.ts: runs "app.odd", and its input "x" has a pattern that is no regular expression of JavaScript; give the entry ask and input',
  ]);
});

test('a read shows its lines', async () => {
  const report = described(
    {},
    { kind: 'read', title: '报表', output: { type: 'array', items: { type: 'string' } } },
  );
  const entry = action(root, { runs: 'app.report' } as never);
  const ops = fakeOps({ 'app.report': () => ['甲 1', '乙 2'] });
  const phone = await phoneWith(treeWith({ 'app.report': report }, entry), { ops });
  expect(await phone.say('支付', '1')).toContain('报表\n甲 1\n乙 2');
});

test.each<[what: string, property: object, why: string]>([
  ['a number without bounds', { type: 'integer', minimum: 0 }, 'its input "x" has no bounds'],
  [
    'a number with the limits of JavaScript',
    { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
    'has no bounds',
  ],
  ['a fraction', { type: 'number', minimum: 0, maximum: 1 }, 'is neither text, an integer, yes or no'],
  ['an object', { type: 'object' }, 'is neither text'],
  ['a list', { type: 'array' }, 'is neither text'],
  [
    'options of a change',
    { type: 'string', options: 'app.flush' },
    'takes its options from "app.flush", which is no read',
  ],
  [
    'options of nothing',
    { type: 'string', options: 'app.none' },
    'takes its options from "app.none", which is no read',
  ],
  [
    'options that are none',
    { type: 'string', options: 'app.odd' },
    'which answers no list of texts or of rows with key and label',
  ],
])('%s cannot be asked on a phone, and is named', (_what, x, why) => {
  const odd = described(
    {},
    { kind: 'read', output: { type: 'array', items: { type: 'object', required: ['key'] } } },
  );
  const { root: top, differences } = treeWith({ 'app.flush': described({ x }), 'app.odd': odd }, flush);
  expect(differences).toEqual([expect.stringContaining(why)]);
  expect(differences[0]).toMatch(/^1-flush\.ts: runs "app\.flush", and .*; give the entry ask and input$/);
  expect([...top.children]).toEqual([]);
});

test('an entry whose operation is not there yet is named, and shown once it is', () => {
  const before = treeWith({}, flush);
  expect([...before.root.children.values()]).toEqual([]);
  expect(before.differences).toEqual([
    '1-flush.ts: runs "app.flush", which the ops platform does not have; if the name is right the platform is older than this menu, and nobody sees the entry until it is there',
  ]);
  const after = treeWith({ 'app.flush': described({}) }, flush, 'o2');
  expect([...after.root.children.values()].map(({ entry }) => entry.title)).toEqual(['清空缓存']);
  expect(after.differences).toEqual([]);
  // What is asked has changed, so it is another generation.
  expect(after.generation).not.toBe(before.generation);
});

test('an entry with its own words stays, whatever the platform has; only its name is looked at', () => {
  const own = { title: '我的', runs: 'app.flush', input: () => ({}) } as never;
  const { root: top, differences, generation } = treeWith({}, operation(root, own));
  expect([...top.children.values()].map(({ entry }) => entry.title)).toEqual(['我的']);
  expect(differences).toHaveLength(1);
  expect(generation).toBe('m1');
});

test('an entry that runs an operation of the other kind is named and not shown, until one of the two is updated', () => {
  const own = operation(root, { title: '我的', runs: 'app.flush', input: () => ({}) } as never);
  const looks = treeWith({ 'app.flush': listed }, own);
  expect(looks.differences).toEqual([
    '1-flush.ts: runs "app.flush", which only looks on the ops platform, and nobody sees the entry; if this menu is the older of the two write action(), else the entry is there once the platform is updated',
  ]);
  const acts = treeWith({ 'app.flush': described({}) }, action(root, { runs: 'app.flush' } as never));
  expect(acts.differences).toEqual([expect.stringMatching(/changes something .* write operation\(\)/)]);
  for (const tree of [looks, acts]) expect([...tree.root.children]).toEqual([]);
  expect([...treeWith({ 'app.flush': described({}) }, own).root.children]).toHaveLength(1);
});

test('who is elsewhere goes on when the platform has other operations, who answers its questions begins anew', async () => {
  const ops = fakeOps({ 'app.flush': { lines: () => ['清空'], run: () => '已清空' } });
  const cache = { title: '哪个缓存', type: 'string', enum: ['goods'] };
  const phone = await phoneWith(treeWith({}, flush, 'o1'), { ops });
  await phone.say('电商');
  phone.reload(treeWith({ 'app.flush': described({ cache }) }, flush, 'o2'));
  expect(await phone.say('?')).toContain('电商\n1 清空缓存');
  expect(await phone.say('1')).toContain('哪个缓存\n1 goods');
  phone.reload(treeWith({ 'app.flush': described({ cache, keep: cache }) }, flush, 'o3'));
  expect(await phone.say('1')).toContain('菜单已更新，请重新选择');
});
