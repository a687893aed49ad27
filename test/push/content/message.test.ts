import { expect, test } from 'vitest';
import { messageStateOf } from '../../../src/push/content/message.ts';

test.each([
  ['queued', ['queued', 'queued']],
  ['sending', ['queued', 'sent']],
  ['sending', ['sending', 'failed']],
  ['sent', ['sent', 'sent']],
  ['partial', ['sent', 'failed']],
  ['partial', ['recalled', 'sent']],
  ['dead', ['failed', 'dead']],
  ['failed', ['recalled', 'failed']],
  ['recalled', ['cancelled', 'recalled']],
  ['cancelled', ['cancelled']],
  ['recalled', []],
] as const)('a message is %s when its deliveries are %j', (state, states) => {
  expect(messageStateOf(states.map((each) => ({ state: each })))).toBe(state);
});
