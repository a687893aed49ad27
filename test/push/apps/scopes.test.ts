import { describe, expect, test } from 'vitest';
import { readScopes } from '../../../src/push/apps/scopes.ts';
import type { Receiver } from '../../../src/push/content/message.ts';

const everybody: readonly Receiver[] = [
  'user:zhangsan',
  'user:lisi',
  'user:@all',
  'party:1',
  'party:2',
  'tag:7',
  'chat:C1',
  'robot:ops-room',
];
const allowed = (...words: string[]) => everybody.filter(readScopes(words).allowsReceiver);

describe('an app may send to', () => {
  test.each([
    [['text'], ['user:zhangsan', 'user:lisi']],
    [
      ['text', 'to:users'],
      ['user:zhangsan', 'user:lisi'],
    ],
    [['text', 'to:users:ZhangSan'], ['user:zhangsan']],
    [
      ['text', 'to:all'],
      ['user:@all', 'party:1'],
    ],
    [['text', 'to:departments'], ['party:2']],
    [['text', 'to:departments:1'], []],
    [['text', 'to:tags'], []],
    [['text', 'to:tags:7'], ['tag:7']],
    [
      ['text', 'to:tags', 'to:all'],
      ['user:@all', 'party:1', 'tag:7'],
    ],
    [['text', 'to:robots:ops-room'], ['robot:ops-room']],
    [['text', 'to:robots:other'], []],
    [
      ['text', 'to:departments:2', 'to:tags:7'],
      ['party:2', 'tag:7'],
    ],
    [['text', 'to:departments:22'], []],
    [['text', 'to:chats:C1'], ['chat:C1']],
    [['text', 'to:chats:c1'], []],
  ])('%j: %j', (words, receivers) => {
    expect(allowed(...words)).toEqual(receivers);
  });
});

test('an app hands in only the kinds of content that it was given', () => {
  const scopes = readScopes(['text', 'image']);
  expect([scopes.allowsKind('text'), scopes.allowsKind('markdown')]).toEqual([true, false]);
  expect(scopes.allowsTemplate('alarm')).toBe(false);
});

test('an app of templates only hands in no content of its own', () => {
  const any = readScopes(['template']);
  expect([any.allowsTemplate('alarm'), any.allowsKind('text')]).toEqual([true, false]);
  const one = readScopes(['template:alarm']);
  expect([one.allowsTemplate('alarm'), one.allowsTemplate('other')]).toEqual([true, false]);
});

test('a scope of routes opens those routes only', () => {
  const scopes = readScopes(['templates']);
  expect([scopes.allows('templates'), scopes.allows('campaigns'), scopes.allows('directory')]).toEqual([
    true,
    false,
    false,
  ]);
  expect(scopes.allowsTemplate('alarm')).toBe(false);
});

test.each(['txt', 'to:everybody', 'to:users:', 'template:', 'template:a b', 'TEXT', ''])(
  'the unknown scope "%s" is named',
  (word) => {
    expect(() => readScopes(['text', word])).toThrow(`"${word}" is no scope`);
  },
);

test('an app without any scope is refused', () => {
  expect(() => readScopes([])).toThrow('at least one scope');
});
