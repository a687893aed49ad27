import { expect, test } from 'vitest';
import { createDepartments } from '../../src/bot/departments.ts';

/** A source whose questions are answered by hand, under a clock that stands still. */
function scripted() {
  const questions: PromiseWithResolvers<readonly number[]>[] = [];
  const waits: { readonly ms: number; readonly over: () => void }[] = [];
  const errors: unknown[] = [];
  const clock = { now: 1_767_225_600_000 };
  const departments = createDepartments<string>({
    keyOf: (user) => user,
    ask() {
      const question = Promise.withResolvers<readonly number[]>();
      questions.push(question);
      return question.promise;
    },
    now: () => clock.now,
    wait: (ms) => new Promise<void>((over) => waits.push({ ms, over })),
    onError: (error) => errors.push(error),
  });
  return { ...departments, questions, waits, errors, clock };
}

test('an answer is believed for a minute and asked for once by whoever wants it at once', async () => {
  const source = scripted();
  const both = [source.of('lisi'), source.of('lisi')];
  source.questions[0]?.resolve([1, 7]);
  expect(await Promise.all(both)).toEqual([
    [1, 7],
    [1, 7],
  ]);
  source.clock.now += 59_999;
  expect(await source.of('lisi')).toEqual([1, 7]);
  expect(source.questions).toHaveLength(1);
  source.clock.now += 1;
  const again = source.of('lisi');
  source.questions[1]?.resolve([]);
  expect(await again).toEqual([]);
});

test('nobody waits longer than a second from the question on, and what comes later counts from then on', async () => {
  const source = scripted();
  const first = source.of('lisi');
  expect(source.waits[0]?.ms).toBe(1000);
  source.clock.now += 700;
  const second = source.of('lisi');
  expect(source.waits[1]?.ms).toBe(300);
  for (const { over } of source.waits) over();
  expect(await Promise.all([first, second])).toEqual([undefined, undefined]);
  source.clock.now += 30_000;
  const third = source.of('lisi');
  expect(source.waits[2]?.ms).toBe(0);
  source.waits[2]?.over();
  expect(await third).toBeUndefined();
  expect(source.questions).toHaveLength(1);
  source.questions[0]?.resolve([7]);
  await new Promise(setImmediate);
  source.clock.now += 10_000;
  expect(await source.of('lisi')).toEqual([7]);
});

test.each([
  ['hangs', false],
  ['fails', true],
])(
  'while the source %s the last answer counts for an hour, and others are none of its business',
  async (_, fails) => {
    const source = scripted();
    const known = source.of('lisi');
    source.questions[0]?.resolve([7]);
    await known;
    const ask = async (user: string) => {
      const waiting = source.of(user);
      if (fails) source.questions.at(-1)?.reject(new Error('away'));
      source.waits.at(-1)?.over();
      return waiting;
    };
    source.clock.now += 60_000;
    expect(await ask('lisi')).toEqual([7]);
    expect(await ask('wangwu')).toBeUndefined();
    source.clock.now += 3_539_999;
    expect(await ask('lisi')).toEqual([7]);
    source.clock.now += 1;
    expect(await ask('lisi')).toBeUndefined();
    expect(source.errors.length > 0).toBe(fails);
  },
);
