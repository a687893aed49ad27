import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../src/ops/database.ts';
import { createOperationStore, LEASE_MS, type OperationStore } from '../../src/ops/engine/store.ts';
import { migrate } from '../../src/ops/migrations.ts';
import { outcomeKey } from '../../src/ops/outbox/outbox.ts';
import { createDatabase } from '../helpers/database.ts';
import { createMemory, memoryStore } from '../helpers/memory-tables.ts';
import { recordsOf } from './ops-harness.ts';

const NOW = 1_767_225_600_000;

let database: Awaited<ReturnType<typeof createDatabase>>;
let db: Database;
beforeAll(async () => {
  database = await createDatabase();
  db = openDatabase(database.url);
  await migrate(recordsOf(db));
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

/** One step of a replica and its rival: of `a` or `b`, at so many milliseconds. */
type Step = (stores: Readonly<Record<'a' | 'b', OperationStore>>, id: string) => Promise<unknown>;
const done = { state: 'done', text: 'ended', now: NOW + 9, tellAt: NOW + 9 } as const;
const takenBy = async (store: OperationStore, now: number, id: string) =>
  (await store.takeOver(now)).filter((row) => row.id === id).map(({ state }) => state);

const steps: Readonly<Record<string, Step>> = {
  'a starts': ({ a }, id) => a.start(id, NOW),
  'b starts': ({ b }, id) => b.start(id, NOW + 1),
  'a starts too late': ({ a }, id) => a.start(id, NOW + 120_000),
  'a renews': ({ a }, id) => a.renew(id, NOW + 10),
  'a renews too late': ({ a }, id) => a.renew(id, NOW + LEASE_MS),
  'b renews': ({ b }, id) => b.renew(id, NOW + 10),
  'a applied': ({ a }, id) => a.markApplied(id),
  'b applied': ({ b }, id) => b.markApplied(id),
  'a ends': ({ a }, id) => a.finish(id, done),
  'b ends': ({ b }, id) => b.finish(id, { ...done, state: 'unknown', tellAt: null }),
  'a notes': ({ a }, id) => a.note(id, 'half', null),
  'b notes': ({ b }, id) => b.note(id, 'other', null),
  'a puts off': ({ a }, id) => a.putOff(id, { now: NOW + 10, until: NOW + 20, text: null }),
  'a gives back': ({ a }) => a.release(),
  'its user cancels': ({ a }, id) => a.cancelPreview(id, 'zhangsan', NOW + 5),
  'another cancels': ({ a }, id) => a.cancelPreview(id, 'lisi', NOW + 5),
  'b takes over early': ({ b }, id) => takenBy(b, NOW + LEASE_MS + 2000, id),
  'b takes over': ({ b }, id) => takenBy(b, NOW + LEASE_MS + 2020, id),
};

/** What the user of a row is told outside of an answer. */
type Told = (key: string) => unknown;

/** What every step answers, and how the row stands after each. */
async function walk(walked: readonly string[], stores: Parameters<Step>[0], told: Told) {
  const id = randomUUID();
  const row = { id, user: 'zhangsan', operation: 'k8s.scale', unit: '电商', target: 'shop/web', input: '{}' };
  const shown = { lines: '[]', risk: 'low', code: null, version: 'v', before_value: '1', after_value: '2' };
  await stores.a.insert({ ...row, ...shown, hash: id, created_at: NOW, expires_at: NOW + 120_000 });
  const seen: unknown[] = [];
  for (const name of walked) {
    const answer = await steps[name]?.(stores, id);
    const { state, started_at, finished_at, lease_owner, lease_until, text } =
      (await stores.b.find(id)) ?? {};
    seen.push([name, answer, { state, started_at, finished_at, lease_owner, lease_until, text }]);
  }
  return { seen, told: await told(outcomeKey(id)) };
}

test.each([
  [
    [
      'a starts',
      'b starts',
      'a renews',
      'b renews',
      'a applied',
      'a applied',
      'a notes',
      'b notes',
      'a ends',
      'a notes',
      'a ends',
      'b takes over',
    ],
  ],
  [['a starts too late', 'a renews', 'a applied', 'a ends', 'its user cancels', 'a starts']],
  [['another cancels', 'its user cancels', 'its user cancels', 'a starts']],
  [
    [
      'a starts',
      'its user cancels',
      'b takes over early',
      'b takes over',
      'a renews',
      'a applied',
      'a ends',
      'b applied',
      'b ends',
    ],
  ],
  [
    [
      'a starts',
      'a renews too late',
      'a gives back',
      'b takes over early',
      'a applied',
      'a gives back',
      'b takes over early',
      'b ends',
    ],
  ],
  [['a starts', 'a puts off', 'b takes over early', 'b renews', 'a puts off', 'b applied', 'b ends']],
])(
  'in memory, as operations are tested without a server, each step is that of the database: %s',
  async (walked) => {
    const real = {
      a: createOperationStore(recordsOf(db), 'a', () => {}),
      b: createOperationStore(recordsOf(db), 'b', () => {}),
    };
    const memory = createMemory();
    const inMemory = { a: memoryStore(memory, 'a'), b: memoryStore(memory, 'b') };
    const outbox = async (key: string) =>
      (await db.selectFrom('outbox').select('text').where('id', '=', key).executeTakeFirst())?.text;
    expect(await walk(walked, inMemory, (key) => memory.told.get(key))).toEqual(
      await walk(walked, real, outbox),
    );
  },
);
