import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { expect, test } from 'vitest';
import { catalogue } from '#test/operations.ts';
import { menuTypes } from '../../demo/menu-types.ts';

test('menus/_catalogue.ts has the operations as they are (npm run menu -- --types writes it anew)', () => {
  const types = menuTypes(catalogue.entries);
  const formatted = execFileSync('biome', ['format', '--stdin-file-path=menus/_catalogue.ts'], {
    input: types,
    encoding: 'utf8',
  });
  expect(readFileSync('menus/_catalogue.ts', 'utf8')).toBe(formatted);
});

test('whatever an operation is called and takes, the table of its types has nothing but types', () => {
  const odd = `a */ 'b' \\ "c"\n} d();`;
  const input = { type: 'object', properties: { [odd]: { enum: [odd, 1] } }, required: [odd] };
  const types = menuTypes([{ name: 'a.b', kind: 'change', title: odd.replaceAll('\n', ' '), input }]);
  expect(
    stripTypeScriptTypes(types)
      .replaceAll(/\/\/.*/g, '')
      .trim(),
  ).toBe("import '#menu';");
});
