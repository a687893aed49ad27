import { describe, expect, test } from 'vitest';
import type { Setting } from '../../src/config/setting.ts';
import { type Audience, audienceOf, settings } from './settings.ts';

const groups: readonly (readonly [Audience, string])[] = [
  ['bot', 'the interface platform (role bot): from the WeCom administrator and from security'],
  ['ops', 'the ops platform (role ops): from operations and from security'],
  ['push', 'message delivery (role push): from the WeCom administrator and from security'],
  ['all', 'more than one role'],
];

describe('.env.example', () => {
  test('is printed from the settings (vitest run test/house/env-example.test.ts -u writes it anew)', async () => {
    const text = [...intro, ...groups.flatMap(([audience, title]) => group(audience, title))].join('\n');
    await expect(text).toMatchFileSnapshot('../../.env.example');
  });

  test.each(settings.filter(({ file }) => !file))(
    'the example and the default of $name are values that it takes',
    (setting) => {
      expect(() => setting.read(setting.example)).not.toThrow();
      expect(() => setting.read(setting.fallback ?? setting.example)).not.toThrow();
    },
  );
});

test('no two settings have one name', () => {
  const names = settings.map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
});

const intro = [
  '# Settings of Keypad. Start a role with: node --env-file=.env src/main.ts <bot|ops|push|all>',
  '# A line without # must be filled in for its role; a line with # may be, and shows the default or an example.',
  '# A variable marked (file) may instead be given as NAME_FILE=/path/of/a/file that holds it.',
  '',
];

function group(audience: Audience, title: string): readonly string[] {
  const members = settings.filter((setting) => audienceOf(setting) === audience);
  return [`# ---- ${title} ----`, '', ...members.flatMap((setting) => [...lines(setting), ''])];
}

function lines({ name, ...setting }: Setting): readonly string[] {
  const about = `# ${setting.about}${setting.file ? ' (file)' : ''}`;
  // Nothing that must be set has a value here: a copied line must not open a door.
  if (setting.fallback === undefined) return [about, `# e.g. ${setting.example}`, `${name}=`];
  return [about, `# ${name}=${setting.fallback || setting.example}`];
}
