import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openRoleLog } from '../../../demo/servers/role-log.ts';

const directory = mkdtempSync(join(tmpdir(), 'keypad-log-'));
afterAll(() => rmSync(directory, { recursive: true }));

test('a refused change is said in the terminal, whatever the chunks, and the file has every line', async () => {
  const file = join(directory, 'ops.log');
  const said: string[] = [];
  const log = openRoleLog({ role: 'ops', file, say: (text) => said.push(text) });
  const lines = [
    '{"level":"info","msg":"listening"}',
    '{"level":"error","problems":["policy: units: 一","policy: roles: 二"],"msg":"the new policy is refused, the old one goes on"}',
    'no JSON with "problems"',
    '',
  ].join('\n');
  const bytes = Buffer.from(lines);
  for (let at = 0; at < bytes.length; at += 7) log.write(bytes.subarray(at, at + 7));
  log.end();
  await once(log, 'finish');
  expect(said).toEqual([
    '  ops: the new policy is refused, the old one goes on\n    policy: units: 一\n    policy: roles: 二',
  ]);
  expect(readFileSync(file, 'utf8')).toBe(lines);
});
