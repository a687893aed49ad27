import { expect, test } from 'vitest';
import * as z from 'zod';
import { operationWith } from '#test/operation.ts';
import { change, unit } from '../../src/ops/operations/index.ts';

test.each<[what: string, look: () => Promise<never>]>([
  ['never ends', () => new Promise<never>(() => {})],
  [
    'throws at once',
    () => {
      throw new Error('a bug');
    },
  ],
])(
  'a look that %s has failed: its user hears how things stand, and others are looked after',
  async (_what, look) => {
    const calls = change({
      title: '通知',
      input: z.strictObject({ unit }),
      inspect: async () => ({ target: '甲', lines: ['通知甲'], risk: 'low' }),
      apply: async (_context, _change, checkTime) => checkTime(),
      observe: look,
      reconcile: look,
    });
    const open = (known: string) =>
      `甲：${known}，现在看不到实际状态。会一直查下去，查到后告诉你，请不要重复操作`;
    for (const [death, known] of [
      [undefined, '已提交'],
      ['after', '不知道有没有执行'],
    ] as const) {
      const op = await operationWith(calls);
      await op.preview({});
      if (death !== undefined) op.crash(death);
      await op.confirm().catch(() => {});
      const bugs: unknown[] = [];
      const wait = (milliseconds: number) =>
        op.wait(milliseconds).then(
          () => true,
          (error: unknown) => void bugs.push(error),
        );
      for (let minutes = 0; minutes < 5; minutes += 0.25) await wait(15_000);
      while (!(await wait(0)));
      expect(op.told()).toContain(open(known));
      expect(bugs).toContainEqual(
        expect.objectContaining({ message: expect.stringMatching(/over 10 s|a bug/) }),
      );
    }
  },
);

test('an inspect that never ends has failed: its user is answered', async () => {
  const never = () => new Promise<never>(() => {});
  const op = await operationWith(
    change({
      title: '通知',
      input: z.strictObject({ unit }),
      inspect: never,
      apply: async (_context, _change, checkTime) => checkTime(),
      observe: never,
      reconcile: never,
    }),
  );
  const failures: unknown[] = [];
  const previewed = op.preview({}).catch((error: unknown) => failures.push(error));
  for (let seconds = 0; seconds < 30 && failures.length === 0; seconds += 1) await op.wait(1000);
  await previewed;
  expect(failures).toEqual([expect.objectContaining({ message: expect.stringContaining('over 10 s') })]);
});
