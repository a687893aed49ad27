import { expect, test } from 'vitest';
import { withoutSecrets } from '../../../src/ops/declared/secrets.ts';

test('of a secret that begins like another nothing is left, in whatever order they are declared', () => {
  for (const secrets of [
    { A: 'tok', B: 'token-9x' },
    { B: 'token-9x', A: 'tok' },
  ]) {
    expect(withoutSecrets('said token-9x and tok', secrets)).toBe('said *** and ***');
  }
});
