import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isRunning } from '#test/demo.ts';
import { root } from './sources.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'keypad-run-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What a program of the run does: each line starts one more process, which notes its id in a file of the folder. */
const notes = (name: string, then: string) =>
  `require('fs').writeFileSync(${JSON.stringify(join(folder, name))}, String(process.pid)); ${then}`;
const forever = 'setInterval(() => {}, 1000)';
const deaf = `process.on('SIGTERM', () => {}); process.on('SIGINT', () => {}); process.on('SIGHUP', () => {}); ${forever}`;
const starts = (code: string, options: string) =>
  `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(code)}], ${options});`;

/** The id that a program has noted; it may take a while to start. */
async function idOf(name: string): Promise<number> {
  const file = join(folder, name);
  await expect.poll(() => existsSync(file) && readFileSync(file, 'utf8')).toMatch(/^\d+$/);
  return Number(readFileSync(file, 'utf8'));
}

/** Runs that program as `npm test` runs vitest. */
function runs(code: string) {
  const script = join(folder, 'run.mjs');
  const module = JSON.stringify(join(root, 'scripts/run.mjs'));
  const program = `process.execPath, ['-e', ${JSON.stringify(code)}], { cwd: '.', env: process.env }`;
  writeFileSync(script, `import { run } from ${module};\nprocess.exitCode = await run(${program});\n`);
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { ended, end: (signal: NodeJS.Signals) => child.kill(signal) };
}

/** A check whose first tool is that script, and whose second says that it was reached. */
function interrupted(biome: string) {
  const module = JSON.stringify(join(root, 'scripts/check.mjs'));
  writeFileSync(join(folder, 'biome'), biome, { mode: 0o755 });
  writeFileSync(join(folder, 'tsc'), `#!/bin/sh\ntouch "${folder}/went-on"\nexit 7\n`, { mode: 0o755 });
  const script = `process.exitCode = await (await import(${module})).check('test', [], { cwd: '.', env: { PATH: '${folder}:/usr/bin:/bin' } })`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { ended, end: (signal: NodeJS.Signals) => child.kill(signal) };
}

/** Only Linux says of each process what it was started with. */
describe.skipIf(!existsSync('/proc/self/environ'))('a run that is cut short', () => {
  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('by %s leaves no process', async (signal) => {
    const server = starts(notes('server', forever), `{ detached: true, stdio: 'ignore' }`);
    const role = starts(notes('role', forever), `{ detached: true, stdio: 'ignore', env: {} }`);
    const worker = starts(notes('worker', `${server} ${role} ${forever}`), `{ stdio: 'ignore' }`);
    const run = runs(`${worker} ${forever}`);
    const ids = await Promise.all(['server', 'role', 'worker'].map(idOf));
    run.end(signal);
    expect(await run.ended).toBe({ SIGTERM: 143, SIGINT: 130, SIGHUP: 129 }[signal]);
    expect(ids.filter(isRunning)).toEqual([]);
  });

  test('insists where a process does not listen, and finds those whose parents are long gone', async () => {
    const lost = starts(notes('lost', deaf), `{ detached: true, stdio: 'ignore' }`);
    const run = runs(`${starts(lost, `{ stdio: 'ignore' }`)} ${forever}`);
    const id = await idOf('lost');
    run.end('SIGTERM');
    expect(await run.ended).toBe(143);
    expect(isRunning(id)).toBe(false);
  });

  test('by the death of its program leaves none either', async () => {
    const server = starts(notes('server', forever), `{ detached: true, stdio: 'ignore' }`);
    const run = runs(notes('program', `${server} ${forever}`));
    const [program, id] = await Promise.all(['program', 'server'].map(idOf));
    process.kill(program ?? 0, 'SIGKILL');
    expect(await run.ended).toBe(137);
    expect(isRunning(id)).toBe(false);
  });
});

describe('npm test', () => {
  test('without a folder for temporary files is one sentence', async () => {
    const module = JSON.stringify(join(root, 'scripts/check.mjs'));
    // Both tools that come before say nothing; the folder is looked for afterwards.
    for (const tool of ['biome', 'tsc']) writeFileSync(join(folder, tool), '#!/bin/sh\n', { mode: 0o755 });
    const script = `process.exitCode = await (await import(${module})).check('test', [], { cwd: '.', env: { PATH: '${folder}:/usr/bin:/bin' } })`;
    const env = { ...process.env, TMPDIR: join(folder, 'missing') };
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env });
    let complained = '';
    child.stderr.on('data', (chunk: Buffer) => {
      complained += chunk.toString();
    });
    expect(await new Promise((resolve) => child.once('close', resolve))).toBe(1);
    expect(complained).toMatch(
      /^Tests need a folder for temporary files, and .*missing takes none \(ENOENT\): name another, for example TMPDIR=\/var\/tmp npm test\n$/,
    );
  });

  test('an interrupted program that ends as if nothing were the matter ends the check, too', async () => {
    const biome = `#!/bin/sh\ntrap 'exit 0' TERM\necho $$ > "${folder}/up"\nwhile :; do sleep 0.05; done\n`;
    const child = interrupted(biome);
    await expect.poll(() => existsSync(join(folder, 'up'))).toBe(true);
    child.end('SIGTERM');
    expect(await child.ended).toBe(143);
    expect(existsSync(join(folder, 'went-on'))).toBe(false);
  });

  test('an interrupted program that is deaf, as the compiler is, is not waited for', async () => {
    const biome = `#!/bin/sh\ntrap '' TERM\necho $$ > "${folder}/up"\nwhile :; do sleep 0.05; done\n`;
    const child = interrupted(biome);
    await expect.poll(() => existsSync(join(folder, 'up'))).toBe(true);
    child.end('SIGTERM');
    expect(await child.ended).toBe(137);
    expect(existsSync(join(folder, 'went-on'))).toBe(false);
  });
});
