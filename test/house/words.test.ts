import { describe, expect, test } from 'vitest';
import { loadFiles } from './sources.ts';

/** Names that say nothing of what is inside. */
const EMPTY = ['util', 'helper', 'type', 'constant', 'manager', 'common', 'misc'];

/** Names that a reader from outside would have to translate; the field's own word stands behind each. */
const RIDDLES: Readonly<Record<string, string>> = {
  asked: 'request',
  desk: 'harness',
  knock: 'check',
  letter: 'message',
  mailroom: 'queue',
  office: 'harness',
  people: 'members, identity',
  told: 'delivered, receipts',
  verb: 'operation',
};

/** What the house has under such a name on purpose: helpers of tests have no other thing in common. */
const KNOWN = ['test/helpers'];

/** Each part of a path whose name is forbidden: an empty one as the whole name, a riddle as any word of it. */
function forbiddenIn(path: string): readonly string[] {
  const parts = path.split('/').map((_, depth, all) => all.slice(0, depth + 1).join('/'));
  return parts.filter((part) => {
    const name = (part.split('/').at(-1) ?? '').replace(/\..*$/, '');
    const isRiddle = name
      .split('-')
      .some((word) => [word, word.replace(/s$/, '')].some((each) => Object.hasOwn(RIDDLES, each)));
    return !KNOWN.includes(part) && (isRiddle || EMPTY.includes(name.replace(/^_/, '').replace(/s$/, '')));
  });
}

test('files and folders are named after what is in them, in the words of the field', () => {
  const files = loadFiles('{src,demo,menus,scripts,test,docs,deploy}/**/*.*').map(({ path }) => path);
  expect(files.length).toBeGreaterThan(500);
  expect([...new Set(files.flatMap(forbiddenIn))]).toEqual([]);
});

describe('a forbidden name is found', () => {
  test.each([
    ['src/push/utils/a.ts', ['src/push/utils']],
    ['src/bot/told.ts', ['src/bot/told.ts']],
    ['src/bot/told-store.ts', ['src/bot/told-store.ts']],
    ['menus/_helper.ts', ['menus/_helper.ts']],
    ['test/helpers/redis.ts', []],
    ['src/push/media/media-type.ts', []],
    ['src/menu/tree/question.ts', []],
  ])('%s', (path, forbidden) => {
    expect(forbiddenIn(path)).toEqual(forbidden);
  });
});
