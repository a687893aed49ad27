import { expect, test } from 'vitest';
import { choosePorts } from '#test/ports.ts';

test('ports that were given out are not given out again, used or not', async () => {
  const blocks = await Promise.all(Array.from({ length: 100 }, () => choosePorts()));
  const ports = blocks.flatMap((block) => Object.values(block));
  expect(new Set(ports).size).toBe(ports.length);
});
