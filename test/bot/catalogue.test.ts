import { afterEach, expect, test } from 'vitest';
import { type BotCatalogue, createCatalogue } from '../../src/bot/catalogue.ts';
import type { Catalogue } from '../../src/contract/catalogue.ts';

const unit = { type: 'object', properties: { unit: { type: 'string' } }, required: ['unit'] };
const rows = {
  type: 'array',
  items: {
    type: 'object',
    properties: { key: { type: 'string' } },
    required: ['key'],
    additionalProperties: false,
  },
};
const list = { name: 'a.list', kind: 'read', title: '列表', input: unit, output: rows } as const;

const opened: BotCatalogue[] = [];
afterEach(() => Promise.all(opened.splice(0).map((each) => each.stop())));

/** One that asks all the time, with a clock that is moved by hand, and a platform that says what a test has it say. */
async function open(says: () => Catalogue | undefined | Error) {
  let time = 1_000_000;
  const asked: (string | undefined)[] = [];
  const errors: unknown[] = [];
  let older = 0;
  let changes = 0;
  let isStarting = true;
  const catalogue = createCatalogue({
    client: {
      catalogue: async (known) => {
        asked.push(known);
        // A bot that starts waits for so long at most.
        if (isStarting) time += 500;
        const said = says();
        if (said instanceof Error) throw said;
        const { operations: _, ...others } = said ?? {};
        return said !== undefined && said.generation === known ? (others as Catalogue) : said;
      },
    },
    everyMs: 1,
    onChange: async () => {
      changes += 1;
    },
    now: () => time,
    onError: (error) => errors.push(error),
    onOlder: () => {
      older += 1;
    },
  });
  opened.push(catalogue);
  await catalogue.start();
  isStarting = false;
  return {
    ...catalogue,
    asked,
    errors,
    changes: () => changes,
    older: () => older,
    wait: (ms: number) => {
      time += ms;
    },
  };
}
/** Waits for two more questions: the answer to the one before them counts then. */
const oneMore = async (asked: readonly unknown[]) => {
  const before = asked.length;
  await expect.poll(() => asked.length).toBeGreaterThan(before + 1);
};

test('a bot begins with what there is, and asks from then on for what has changed', async () => {
  let said: Catalogue = { generation: 'g1', policy: 'p1', operations: [list] };
  const bot = await open(() => said);
  expect(bot.operations()?.find('a.list')?.title).toBe('列表');
  expect(bot.rightsBasis()).toBe('p1/g1');
  await oneMore(bot.asked);
  expect([bot.asked[0], bot.asked.at(-1), bot.changes()]).toEqual([undefined, 'g1', 1]);
  said = { generation: 'g2', policy: 'p1', operations: [{ ...list, name: 'b.list' }] };
  await expect.poll(() => bot.operations()?.generation).toBe('g2');
  expect([bot.operations()?.find('a.list'), bot.changes()]).toEqual([undefined, 2]);
  said = { ...said, policy: 'p2' };
  await expect.poll(() => bot.rightsBasis()).toBe('p2/g2');
  expect(bot.changes()).toBe(2);
});

test('what a read answers is held against its form, which may have more fields than were known', async () => {
  const bot = await open(() => ({ generation: 'g1', policy: 'p1', operations: [list] }));
  expect(bot.outputOf('a.list')?.safeParse([{ key: 'x', more: 1 }]).success).toBe(true);
  expect(bot.outputOf('a.list')?.safeParse([{ key: 1 }]).success).toBe(false);
  expect(bot.outputOf('a.none')).toBeUndefined();
});

test('rights that were asked for count for nothing once the platform has said nothing for 5 s', async () => {
  let said: Catalogue | Error = { generation: 'g1', policy: 'p1', operations: [list] };
  const bot = await open(() => said);
  said = new Error('away');
  await oneMore(bot.asked);
  bot.wait(4000);
  expect(bot.rightsBasis()).toBe('p1/g1');
  bot.wait(1000);
  expect(bot.rightsBasis()).toBeUndefined();
  // What there is to do is still known.
  expect(bot.operations()?.generation).toBe('g1');
});

test('nobody hears of a platform that starts or is updated, and everybody of one that stays away', async () => {
  const bot = await open(() => new Error('away'));
  expect(bot.operations()).toBeUndefined();
  await oneMore(bot.asked);
  expect(bot.errors).toEqual([]);
  bot.wait(16_000);
  await expect.poll(() => bot.errors.length).toBeGreaterThan(0);
});

test('a platform that is too old to say is named as the older side, once, and leaves rights to be asked for as before', async () => {
  let said: Catalogue | undefined;
  const bot = await open(() => said);
  expect(bot.operations()).toBeUndefined();
  expect(bot.rightsBasis()).toBe('');
  await oneMore(bot.asked);
  expect(bot.older()).toBe(1);
  said = { generation: 'g1', policy: 'p1', operations: [list] };
  await expect.poll(() => bot.operations()?.generation).toBe('g1');
  expect(bot.older()).toBe(1);
  // The update is taken back.
  said = undefined;
  await expect.poll(() => bot.older()).toBe(2);
});

test('replicas that differ and answer by turns make no entry come and go; a newer one counts at once', async () => {
  let generations = ['g1'];
  let count = 0;
  const bot = await open(() => {
    count += 1;
    const generation = generations[count % generations.length] as string;
    return { generation, policy: 'p1', operations: [list] };
  });
  generations = ['g1', 'g2'];
  await expect.poll(() => bot.operations()?.generation).toBe('g2');
  for (const _ of [1, 2, 3]) await oneMore(bot.asked);
  expect([bot.operations()?.generation, bot.changes()]).toEqual(['g2', 2]);
  // The update is taken back.
  generations = ['g1'];
  await oneMore(bot.asked);
  expect(bot.operations()?.generation).toBe('g2');
  bot.wait(5000);
  await expect.poll(() => bot.operations()?.generation).toBe('g1');
});
