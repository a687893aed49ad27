import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/ops/database.ts';
import { createCodeTries } from '../../src/ops/engine/code-tries.ts';
import { confirm } from '../../src/ops/engine/confirm.ts';
import { previewHash } from '../../src/ops/engine/operation-row.ts';
import { createOperationStore, type Match, type OperationStore } from '../../src/ops/engine/store.ts';
import { migrate } from '../../src/ops/migrations.ts';
import { createDatabase } from '../helpers/database.ts';
import { recordsOf } from './ops-harness.ts';

const NOW = 1_767_225_600_000;

let database: Awaited<ReturnType<typeof createDatabase>>;
let db: Database;
let store: OperationStore;
/** Another replica's. */
let rival: OperationStore;
beforeAll(async () => {
  database = await createDatabase();
  db = openDatabase(database.url);
  await migrate(recordsOf(db));
  store = createOperationStore(recordsOf(db), randomUUID(), () => {});
  rival = createOperationStore(recordsOf(db), randomUUID(), () => {});
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

/** What the operation was declared as when it was previewed. */
const definition = 'as previewed';
let match: Match & { readonly definition: string };
async function previewed(): Promise<void> {
  const row = {
    id: randomUUID(),
    user: 'zhangsan',
    operation: 'k8s.scale',
    input: '{}',
    lines: '[]',
    version: 'v',
  };
  const hash = previewHash(row, definition);
  const { lines, version, ...matched } = row;
  match = { ...matched, hash, code: '1234', definition };
  await store.insert({
    ...row,
    hash,
    code: '1234',
    unit: '电商',
    target: 'shop/web',
    risk: 'high',
    before_value: 'null',
    after_value: 'null',
    created_at: NOW,
    expires_at: NOW + 120_000,
  });
}
beforeEach(previewed);

test.each([
  ['id', { id: randomUUID() }],
  ['user', { user: 'lisi' }],
  ['user in other letters', { user: 'ZHANGSAN' }],
  ['operation', { operation: 'k8s.restart' }],
  ['input', { input: '{"a":1}' }],
  ['hash', { hash: 'h' }],
  ['user with a space behind it', { user: 'zhangsan ' }],
  ['code', { code: '1235' }],
  ['code with a space behind it', { code: '1234 ' }],
  ['code with a space before it', { code: ' 1234' }],
  ['code with a line end', { code: '1234\n' }],
  ['code with a byte of zero', { code: '1234\0' }],
  ['code that is wide', { code: '１２３４' }],
  ['code in other digits', { code: '١٢٣٤' }],
  ['code as a number', { code: '1234.0' }],
  ['no code', { code: null }],
  ['empty code', { code: '' }],
])('a preview is not started by another %s', async (_what, changes) => {
  const codeTries = createCodeTries(db);
  await expect(confirm({ store, codeTries }, { ...match, ...changes }, NOW)).rejects.toThrow(
    /^(没有|这个预览是别人的|确认的内容|验证码不对)/,
  );
  expect(await confirm({ store, codeTries }, match, NOW)).toMatchObject({ id: match.id, state: 'started' });
});

test('nor by its hash with a space behind it, nor after the operation was declared anew', async () => {
  const codeTries = createCodeTries(db);
  const padded = { ...match, hash: `${match.hash} ` };
  await expect(confirm({ store, codeTries }, padded, NOW)).rejects.toThrow('确认的内容');
  const anew = confirm({ store, codeTries }, { ...match, definition: 'declared anew' }, NOW);
  await expect(anew).rejects.toMatchObject({ reason: 'moved' });
  expect(await confirm({ store, codeTries }, match, NOW)).toMatchObject({ id: match.id, state: 'started' });
});

test('an id with a space behind it is that of no preview', async () => {
  const codeTries = createCodeTries(db);
  const padded = { ...match, id: `${match.id} ` };
  await expect(confirm({ store, codeTries }, padded, NOW)).rejects.toThrow('没有这个预览');
});

test('a preview is started until it ends, and once', async () => {
  expect(await store.start(match.id, NOW + 120_000)).toBe(false);
  expect(await store.start(match.id, NOW + 119_999)).toBe(true);
  expect(await store.start(match.id, NOW)).toBe(false);
});

test('what ended stays as it ended', async () => {
  await store.start(match.id, NOW);
  const ending = { text: 'done', now: NOW, tellAt: NOW } as const;
  expect(await rival.finish(match.id, { ...ending, state: 'failed' })).toBe(false);
  expect(await store.finish(match.id, { ...ending, state: 'done' })).toBe(true);
  expect(await store.finish(match.id, { ...ending, state: 'failed' })).toBe(false);
  expect(await store.markApplied(match.id)).toBe(false);
  const taken = await rival.takeOver(NOW + 1e6);
  expect(taken.map(({ id }) => id)).not.toContain(match.id);
  expect(await store.cancelPreview(match.id, 'zhangsan', NOW)).toBe(false);
  expect(await store.find(match.id)).toMatchObject({ state: 'done', text: 'done' });
});

test('old previews are dropped, and nothing that was started', async () => {
  const previews = db.selectFrom('operations').select('id').where('state', '=', 'previewed');
  await store.start(match.id, NOW);
  const started = match.id;
  await previewed();
  await store.dropPreviews(NOW);
  expect(await previews.execute()).not.toEqual([]);
  await store.dropPreviews(NOW + 1e9);
  expect(await store.find(started)).toBeDefined();
  expect(await previews.execute()).toEqual([]);
});
