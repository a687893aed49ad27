import { expect, test } from 'vitest';
import { sentences } from '../../src/chat/index.ts';

const AT = 1_767_225_600;

test.each([
  ['a digit', AT, '3', '（回复 08:00 的“3”）'],
  ['a minute later, after midnight in China', AT + 16 * 3600 + 60, '1-1-2', '（回复 00:01 的“1-1-2”）'],
  ['what is no text', AT, undefined, '（回复 08:00 的消息）'],
  ['several lines', AT, ' 第一行\n\n第二行 ', '（回复 08:00 的“第一行 第二行”）'],
  ['what turns the direction', AT, 'a\u0085b\u202ec', '（回复 08:00 的“a↵b[U+202E]c”）'],
  ['twenty characters', AT, '🙂'.repeat(20), `（回复 08:00 的“${'🙂'.repeat(20)}”）`],
  ['what says no time', 0, '3', '（回复“3”）'],
  ['more than twenty', AT, '字'.repeat(300), `（回复 08:00 的“${'字'.repeat(20)}…”）`],
])('a late answer names what it answers: %s', (_, at, text, expected) => {
  expect(sentences.answerTo(at, text)).toBe(expected);
});
