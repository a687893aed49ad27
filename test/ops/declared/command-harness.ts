import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OpsHarness, openOpsHarness } from '../ops-harness.ts';

/** A harness whose operations are commands, and what writes those. */
export interface CommandHarness extends OpsHarness {
  readonly operationsDir: string;
  /** Writes a script for `/bin/sh` into the folder of operations, and answers its path there. */
  script(name: string, lines: string): string;
  /** Writes a declaration; `command` and `more` are added to it. */
  declare(name: string, command: object, more?: object): void;
}

export async function openCommandHarness(): Promise<CommandHarness> {
  const harness = await openOpsHarness({
    policy: `
units: { 电商: { environment: test } }
roles: { all: { members: { users: [zhangsan] }, grants: [{ operations: ['*'], units: '*', new: allowed }] } }
`,
  });
  // Whoever the programs run as has to reach them.
  chmodSync(harness.directory, 0o755);
  const operationsDir = join(harness.directory, 'operations');
  mkdirSync(join(operationsDir, '_scripts'), { recursive: true });
  return {
    ...harness,
    operationsDir,
    script(name, lines) {
      const path = `_scripts/${name}.sh`;
      writeFileSync(join(operationsDir, path), `#!/bin/sh\n${lines}\n`);
      chmodSync(join(operationsDir, path), 0o755);
      return `./${path}`;
    },
    declare(name, command, more) {
      const declared = { kind: 'command', title: '脚本', risk: 'read', command, ...more };
      writeFileSync(join(operationsDir, `${name}.yaml`), JSON.stringify(declared));
    },
  };
}

/** Whether a process runs; what has ended and was not yet looked at by its parent runs no more. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** A text input, and one of a number, as declarations have them. */
export const text = (title: string) => ({ title, type: 'string' });
