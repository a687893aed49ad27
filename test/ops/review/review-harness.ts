import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { runCommand } from '../../../src/ops/review/main.ts';

const MODULES = {
  read: "read({ title: '看', input, output: z.array(z.string()), run: async () => [] })",
  change:
    "change({ title: '改', input, inspect: async () => ({ target: 'a', lines: [] }), apply: async () => {} })",
};

/** Operations to begin with. */
export const operations = {
  'app.flush': 'change',
  'k8s.pods.list': 'read',
  'k8s.scale': 'change',
  'mysql.kill': 'change',
} as const;

/** A policy over them, to be edited by tests. */
export const policy = `
units:
  电商: { environment: test, kubernetes: { context: any, namespaces: [shop] }, mysql: [shop-db] }
  "2": { environment: production }
  支付: { environment: production, kubernetes: { context: any, namespaces: [pay] } }
roles:
  sre:
    members: { users: [zhangsan, wangwu], departments: [7] }
    grants: [{ operations: [k8s.pods.list, k8s.scale], units: [电商, 支付] }]
  lead:
    members: { users: [wangwu] }
    grants: [{ operations: [mysql.kill], units: '*' }, { operations: ['k8s.*'], units: [支付], new: allowed }]
  admin:
    members: { users: [LiSi] }
    grants: [{ operations: [k8s.pods.list], units: [电商] }]
  idle:
    members: {}
    grants: [{ operations: [app.flush], units: [电商] }]
`;

/** A folder of its own for a test, with the operations above in `operations`. */
export function reviewFolder() {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-review-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  /** Writes a file; its path. */
  const write = (name: string, text: string): string => {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return path;
  };
  /** Writes a folder of operations, each said as `read` or `change; needs: ['app.flush'],`; its path. */
  const writeOperations = (folder: string, kinds: Readonly<Record<string, string>>): string => {
    for (const [name, said] of Object.entries(kinds)) {
      const [kind = '', more = ''] = said.split('; ');
      const module = MODULES[kind as keyof typeof MODULES].replace('input,', `input, ${more}`);
      const imports = "import * as z from 'zod';\nimport { change, read, unit } from '#operations';";
      const rest = `const input = z.strictObject({ unit });\nexport default ${module};`;
      write(join(folder, `${name.replaceAll('.', '/')}.ts`), `${imports}\n${rest}\n`);
    }
    return join(directory, folder);
  };
  const folder = writeOperations('operations', operations);
  /** Answers the command, over these operations unless the words name others; its text without the folder's path. */
  const run = async (...args: readonly string[]) => {
    const { text, exitCode } = await runCommand(['--operations', folder, ...args]);
    return { text: text.replaceAll(`${directory}/`, ''), exitCode };
  };
  return { directory, operationsFolder: folder, write, writeOperations, run };
}
