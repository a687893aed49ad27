import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { policy, reviewFolder } from './review-harness.ts';

const program = join(import.meta.dirname, '../../../src/ops/review/main.ts');

/** A folder as an officer has it, with `deploy/policy.yaml` and `operations/`, and the command there, without any setting. */
function laptop() {
  const { directory, write } = reviewFolder();
  write('deploy/policy.yaml', policy);
  const run = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
      cwd: directory,
      env: {},
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };
  return { write, run };
}

test('a refused policy is exit code 2 and each problem with its place, whichever of the two it is', () => {
  const { write, run } = laptop();
  const bad = policy
    .replace('[k8s.pods.list, k8s.scale]', '[k8s.pods.list, k8s.scael]')
    .replace('[LiSi]', '["Li Si"]')
    .replace("['k8s.*'], units: [支付], new: allowed", "['k8s.*'], units: [支付]")
    .replace('environment: test', 'environment: "\\e[31m"');
  write('bad.yaml', bad);
  const stderr = `bad.yaml is refused:
  policy: units.电商.environment: Invalid option: expected one of "test"|"production"
  policy: roles.sre.grants.0.operations.1: "k8s.scael" fits no operation
  policy: roles.lead.grants.1.operations.0: "k8s.*" would also grant operations that are added later; write \`new: allowed\` into the grant, or name them: k8s.pods.list, k8s.scale
  policy: roles.admin.members.users.0: is no user of a channel; write a userid, or <channel>/<account>/<user>
`;
  expect(run('--file', 'bad.yaml')).toEqual({ status: 2, stdout: '', stderr });
  const pattern = bad.replace('[k8s.pods.list, k8s.scael]', '[k8s.pods.list, k8s.scale]');
  write('bad.yaml', pattern);
  const withoutName = stderr.replace(/.*k8s\.scael.*\n/, '');
  expect(run('--against', 'bad.yaml')).toEqual({ status: 2, stdout: '', stderr: withoutName });
  write('unit.yaml', policy.replace('units: [电商, 支付]', 'units: ["\\e[31m"]'));
  expect(run('--file', 'unit.yaml').stderr).toBe(
    'unit.yaml is refused:\n  policy: roles.sre.grants.0.units: there is no unit "\\u001b[31m"\n',
  );
});

test('the exit code is 1 only for a change, and needs no setting', () => {
  const { write, run } = laptop();
  write('next.yaml', policy.replace('[LiSi]', '[zhaoliu]'));
  write('renamed.yaml', policy.replace('sre:', 'operators:'));
  const old = ['--against', 'deploy/policy.yaml'];
  expect(run()).toMatchObject({ status: 0, stderr: '' });
  expect(run('--file', 'renamed.yaml', ...old)).toMatchObject({ status: 0, stderr: '' });
  expect(run('--file', 'next.yaml', ...old)).toMatchObject({ status: 1, stderr: '' });
  const usage = run('--agianst', 'deploy/policy.yaml');
  expect(usage).toMatchObject({ status: 2, stdout: '' });
  expect(usage.stderr).toMatch(/^Unknown option '--agianst'[\s\S]*\n {2}--against <policy> /);
});

test('what cannot be answered is refused with the reason', async () => {
  const { directory, write, run } = reviewFolder();
  const file = write('policy.yaml', policy);
  mkdirSync(join(directory, 'empty'));
  const at = (name: string) => join(directory, name);
  write('broken/x.ts', 'export default {');
  const cases: readonly (readonly [args: readonly string[], sentence: string])[] = [
    [['--file', at('none.yaml')], `--file names ${at('none.yaml')}, which cannot be read (ENOENT)`],
    [['--against', at('none.yaml')], `--against names ${at('none.yaml')}, which cannot be read (ENOENT)`],
    [['--against', directory], 'which is no file'],
    [['--operations', at('none')], `The operations in ${at('none')} are refused:`],
    [['--operations', at('broken')], '\n  x.ts: cannot be loaded:'],
    [['--operations', at('empty')], 'fits no operation'],
    [['--against', file, '--against-operations', at('none')], `The operations in ${at('none')} are refused:`],
    [['--user', 'li si'], '--user li si is no user of a channel'],
    [['--departments', '7'], '--departments wants a --user'],
    [['--user', 'lisi', '--departments', '7;8'], '--departments wants the ids of departments, such as 7,8'],
    [['--against-operations', at('operations')], '--against-operations wants --against'],
    [['next.yaml'], "Unexpected argument 'next.yaml'"],
  ];
  for (const [args, sentence] of cases) await expect(run('--file', file, ...args)).rejects.toThrow(sentence);
});
