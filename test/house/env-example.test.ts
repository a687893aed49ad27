import { describe, expect, test } from 'vitest';
import { botAccountFields, pushAccountFields } from '../../src/config/accounts.ts';
import type { Audience, Setting } from '../../src/config/setting.ts';
import { settings } from '../../src/config/settings.ts';
import { botFields, commonFields, opsFields, pushFields } from '../../src/config.ts';

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

  test.each(Object.entries<Setting>(settings).filter(([, setting]) => !setting.file))(
    'the example and the default of %s are values that it takes',
    (_name, setting) => {
      expect(() => setting.read(setting.example)).not.toThrow();
      expect(() => setting.read(setting.fallback ?? setting.example)).not.toThrow();
    },
  );
});

test('each setting is read by the roles it is said to be for', () => {
  const readers = {
    bot: { ...botFields, ...botAccountFields },
    ops: opsFields,
    push: { ...pushFields, ...pushAccountFields },
  };
  const common = Object.values<string>(commonFields);
  for (const [name, { audience }] of Object.entries(settings)) {
    const roles = Object.entries(readers)
      .filter(([, fields]) => Object.values<string>(fields).includes(name))
      .map(([role]) => role);
    const found = common.includes(name) || roles.length > 1 ? 'all' : roles.join();
    expect(`${name}: ${found}`).toBe(`${name}: ${audience}`);
  }
});

const intro = [
  '# Settings of Keypad. Start a role with: node --env-file=.env src/main.ts <bot|ops|push|all>',
  '# A line without # must be filled in for its role; a line with # may be, and shows the default or an example.',
  '# A variable marked (file) may instead be given as NAME_FILE=/path/of/a/file that holds it.',
  '',
];

function group(audience: Audience, title: string): readonly string[] {
  const members = Object.entries<Setting>(settings).filter(([, setting]) => setting.audience === audience);
  return [`# ---- ${title} ----`, '', ...members.flatMap(([name, setting]) => [...lines(name, setting), ''])];
}

function lines(name: string, setting: Setting): readonly string[] {
  const about = `# ${setting.about}${setting.file ? ' (file)' : ''}`;
  // Nothing that must be set has a value here: a copied line must not open a door.
  if (setting.fallback === undefined) return [about, `# e.g. ${setting.example}`, `${name}=`];
  return [about, `# ${name}=${setting.fallback || setting.example}`];
}
