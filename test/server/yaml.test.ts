import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/errors.ts';
import { readYaml } from '../../src/server/yaml.ts';

/** What the text is refused with; undefined when it is not. Throws whatever is no InputError. */
function refusal(text: string): string | undefined {
  try {
    readYaml(text);
    return undefined;
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

const ALIAS = 'a text that begins with * is an alias to YAML; put it in quotes';
const TAG = 'a text that begins with ! is a tag to YAML; put it in quotes';
const DEEP = 'over 50 lists and maps stand in each other';

test.each([
  ['a wildcard without quotes in a list', 'operations: [*.list]', `is wrong at line 1, column 14: ${ALIAS}`],
  ['a wildcard without quotes', 'a: 1\nunits: *all', `is wrong at line 2, column 8: ${ALIAS}`],
  [
    'an alias that stands inside of itself',
    'a: &a [*a]',
    'line 1, column 8: an alias stands inside of what it means',
  ],
  ['more aliases than are needed', `a: &a 1\nb: [${Array(11).fill('*a').join()}]`, 'over 10 aliases'],
  ['a tag that is known', 'a: !!binary aGk=', `line 1, column 13: ${TAG}`],
  ['a tag that is not', 'a: !secret b', 'is no YAML: Unresolved tag: !secret at line 1, column 4'],
  ['a name twice', 'a: 1\nb: 2\na: 3', 'line 3, column 1: this name stands here twice'],
  ['a name twice, once in quotes', '1: a\n"1": b', 'line 2, column 1: this name stands here twice'],
  ['a list as a name', '? [a]\n: b', 'line 1, column 3: only a text can be a name'],
  ['an alias as a name', '*x : 1', 'line 1, column 1: only a text can be a name'],
  ['lists in lists', `a: ${'['.repeat(60)}${']'.repeat(60)}`, DEEP],
  ['lists in lists without end', '['.repeat(100_000), DEEP],
  ['maps in maps without end', '{a: '.repeat(60_000), DEEP],
  ['two documents', 'a: 1\n---\nb: 2', 'is no YAML: Source contains multiple documents'],
  ['another version of YAML', '%YAML 9.9\n---\na: 1', 'is no YAML: Unsupported YAML version 9.9'],
  [
    'what the parser itself falls over',
    '%YAML 1.1\n---\na: &x {b: 1}\nc:\n  <<: [*x, 5]',
    'cannot be read as YAML',
  ],
])('%s is refused with the place and the remedy', (_, text, sentence) => {
  expect(refusal(text)?.replace('has more than', 'over')).toContain(sentence);
});

test('an alias of something that stands there is what it means', () => {
  expect(readYaml('people: &all [lisi]\nleads: *all')).toEqual({ people: ['lisi'], leads: ['lisi'] });
});

test('many names are read as quickly as few: each is looked at once', () => {
  const text = Array.from({ length: 20_000 }, (_, index) => `k${index}: 1`).join('\n');
  expect(Object.keys(readYaml(text) as object)).toHaveLength(20_000);
});

describe('whatever stands in a file', () => {
  const piece = fc.constantFrom(
    ...[
      'a',
      ': ',
      '\n',
      '  ',
      '- ',
      '*',
      '&',
      '!',
      '!!int',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '|',
      '>',
      '?',
      '%',
      '#',
      '<<',
      '---',
      '...',
      ',',
      '\t',
      '\0',
      '\u{85}',
      '\u{feff}',
      '1e999',
      '~',
      '@',
      '`',
    ],
  );
  test('is read, or refused with one sentence, and nothing else is thrown', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const sentence = refusal(pieces.join(''));
        expect(sentence ?? 'read').toMatch(/^(read|(is|has|cannot) [^\n]+)$/);
      }),
      { numRuns: 3000 },
    );
  });
});
