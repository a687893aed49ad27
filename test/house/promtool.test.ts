import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root } from './sources.ts';

const directory = mkdtempSync(join(tmpdir(), 'keypad-promtool-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Lets the bootstrap look for promtool in a project of its own, on a machine with these programs beside the system's shell. */
function onMachine(programs: Readonly<Record<string, string>>) {
  const project = mkdtempSync(join(directory, 'machine-'));
  const bin = join(project, 'bin');
  mkdirSync(bin);
  for (const [name, script] of Object.entries(programs))
    writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const options = `{ root: ${JSON.stringify(project)}, path: ${JSON.stringify(`${bin}:/usr/bin:/bin`)},
    isOnPath: (program) => existsSync(${JSON.stringify(bin)} + '/' + program), say: console.log }`;
  const code = `import { existsSync } from 'node:fs';
    import { ensurePromtool } from ${JSON.stringify(join(root, 'scripts/promtool.mjs'))};
    ensurePromtool(${options});`;
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  const cache = join(project, 'node_modules/.cache/keypad');
  return { said: said.split('\n').filter(Boolean), left: existsSync(cache) ? readdirSync(cache) : [] };
}

test('promtool is taken out of its package, which is not installed', () => {
  const { said, left } = onMachine({
    'apt-get': 'echo "$*" > prometheus_1_amd64.deb',
    'dpkg-deb': 'mkdir -p "$3/usr/bin" && cp "$2" "$3/usr/bin/promtool"',
  });
  expect(said).toEqual(['taking promtool out of the package prometheus']);
  expect(left).toEqual(['promtool']);
});

test('a promtool that cannot be had is said, and nothing stays of it', () => {
  const { said, left } = onMachine({ 'apt-get': 'echo "E: Unable to locate package" >&2; exit 100' });
  expect(said.at(-1)).toBe('going on without promtool: E: Unable to locate package');
  expect(left).toEqual([]);
});

test.each([
  ['is there already', { promtool: '', 'apt-get': '' }],
  ['no apt-get could bring', {}],
])('a promtool that %s is not asked for', (_, programs) => {
  expect(onMachine(programs)).toEqual({ said: [], left: [] });
});
