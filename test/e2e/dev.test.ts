import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isRunning } from '../helpers/demo.ts';
import { choosePorts } from '../helpers/ports.ts';
import { type DemoProcess, runDemo } from './demo-process.ts';

const ROOT = join(import.meta.dirname, '../..');

/** A copy of what `npm run dev` runs, to be changed while it runs. */
let copy: string;
let dev: DemoProcess | undefined;
beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'keypad-dev-'));
  // Whoever the scripts of operations run as has to reach them.
  chmodSync(copy, 0o755);
  for (const part of ['src', 'demo', 'menus', 'operations', 'package.json']) {
    cpSync(join(ROOT, part), join(copy, part), { recursive: true });
  }
  mkdirSync(join(copy, 'deploy'));
  cpSync(join(ROOT, 'deploy/policy.yaml'), join(copy, 'deploy/policy.yaml'));
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
});
afterEach(async () => {
  await dev?.end('SIGTERM');
  rmSync(copy, { recursive: true, force: true });
});

interface Line {
  readonly msg?: string;
  readonly generation?: string;
}

/** The log of a role: its own lines are JSON, those of Node's watcher are not. */
function linesOf(role: string): readonly Line[] {
  return readFileSync(join(copy, `.demo/logs/${role}.log`), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
}

const startsOf = (role: string): number => linesOf(role).filter(({ msg }) => msg === 'listening').length;
const starts = () => ({ bot: startsOf('bot'), ops: startsOf('ops'), push: startsOf('push') });

async function firstScreen(): Promise<string> {
  const { PHONE_URL } = parseEnv(readFileSync(join(copy, '.demo/env'), 'utf8'));
  const answered = await fetch(`${PHONE_URL}/api/say`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user: 'zhangsan', text: '你好' }),
  });
  return answered.text();
}

test('npm run dev: a change in src restarts the role that uses it, a menu is only read again', async () => {
  const { bot } = await choosePorts();
  dev = runDemo(copy, { DEMO_PORT: `${bot}` }, [join(copy, 'demo/main.ts'), '--watch']);
  expect(await dev.settled, dev.complained()).toBeNull();
  // A role is ready a moment before its line is in the file.
  await vi.waitFor(() => expect(starts()).toEqual({ bot: 1, ops: 1, push: 1 }), { timeout: 30_000 });

  const loadings = () => linesOf('bot').filter(({ msg }) => msg === 'menus loaded');
  // Once the bot knows what the platform has, its menus have the platform's generation behind theirs.
  await vi.waitFor(() => expect(loadings().at(-1)?.generation).toContain('+'), { timeout: 30_000 });
  const before = loadings().length;
  appendFileSync(join(copy, 'menus/9-help.ts'), '// changed\n');
  await vi.waitFor(() => expect(loadings()).toHaveLength(before + 1), { timeout: 30_000 });

  appendFileSync(join(copy, 'src/ops/app.ts'), '// changed\n');
  await vi.waitFor(() => expect(startsOf('ops')).toBe(2), { timeout: 30_000 });
  expect(starts()).toEqual({ bot: 1, ops: 2, push: 1 });

  const sentences = join(copy, 'src/chat/sentences.ts');
  const correct = readFileSync(sentences, 'utf8');
  writeFileSync(sentences, 'export const sentences = {');
  const log = () => readFileSync(join(copy, '.demo/logs/bot.log'), 'utf8');
  // Before it waits, the watcher may not know yet which files to watch.
  const waits = 'Waiting for file changes';
  await vi.waitFor(() => expect(log()).toContain(waits), { timeout: 30_000 });
  expect(log()).toContain('SyntaxError');
  writeFileSync(sentences, correct);
  await vi.waitFor(() => expect(startsOf('bot'), log().slice(-3000)).toBe(2), { timeout: 30_000 });
  expect(await firstScreen()).toContain('电商');

  // Three watchers, what they watch, Redis and MariaDB.
  const children = dev.children();
  expect(children.length).toBeGreaterThanOrEqual(8);
  expect(await dev.end('SIGTERM')).toBe(0);
  expect(children.filter(isRunning)).toEqual([]);
}, 120_000);
