import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '../..');
/** The second is where scripts/promtool.mjs puts it. */
const PATH = [process.env.PATH, join(root, 'node_modules/.cache/keypad')].join(delimiter);

/** Runs promtool in a folder; answers all that it said, and whether it was content. */
export function promtool(cwd: string, ...args: readonly string[]) {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, {
    cwd,
    env: { PATH },
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  return { isContent: status === 0, said: `${stdout}${stderr}` };
}

function isThere(): boolean {
  try {
    return promtool(root, '--version').isContent;
  } catch {
    return false;
  }
}

/** What belongs behind the name of a test that needs promtool: why it is skipped, or nothing. */
export const withoutPromtool = isThere()
  ? ''
  : ' (skipped: there is no promtool, which is in the package prometheus)';
