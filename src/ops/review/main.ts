import { parseArgs } from 'node:util';
import { principal } from '../../contract/principal.ts';
import { ConfigError, InputError } from '../../errors.ts';
import { isMember, type Subject } from '../policy/policy.ts';
import { changesReport } from './changes-report.ts';
import { changesBetween, rightsChange } from './compare.ts';
import { type Reading, readSource } from './read.ts';
import { personReport, policyReport } from './report.ts';
import { rightsOf } from './rights.ts';

const usage = `npm run policy [-- <options>]: who may do what, and what changed; it needs no cluster, database or setting
  --file <policy>                deploy/policy.yaml
  --operations <folder>          operations
  --against <policy>             what changed since that one; exit code 1 when something did, 0 when nothing
  --against-operations <folder>  the operations that there were then, when they were others
  --user <userid>                one person only, also <channel>/<account>/<userid>
  --departments 7,8              the departments that WeCom has the person in`;

/** What is printed, and the exit code: 0, or 1 when a comparison has found a change. */
export interface Outcome {
  readonly text: string;
  readonly exitCode: 0 | 1;
}

/** Answers what the words of the command line ask. Throws an InputError for these, and a ConfigError when a file is refused. */
export async function runCommand(args: readonly string[]): Promise<Outcome> {
  const options = readOptions(args);
  const after = await readSource({ file: options.file, folder: options.operations, option: '--file' });
  const subject = subjectOf(options);
  if (options.against === undefined) {
    const lines = subject
      ? personReport(after, subject, options.departments !== undefined)
      : policyReport(after);
    return { text: page([nameOf(after)], lines), exitCode: 0 };
  }
  const folder = options['against-operations'] ?? options.operations;
  const before = await readSource({ file: options.against, folder, option: '--against' });
  const all = changesBetween(before, after);
  const changes = subject
    ? { ...all, rights: rightsChange(subject.user, held(before, subject), held(after, subject)) }
    : all;
  const isChange = Object.values(changes).some(({ length }) => length > 0);
  const text = page([nameOf(after), `against ${nameOf(before)}`], changesReport(changes, after));
  return { text, exitCode: isChange ? 1 : 0 };
}

function held(reading: Reading, subject: Subject) {
  const roles = Object.values(reading.document.roles).filter((role) => isMember(role, subject));
  return rightsOf(roles, reading);
}

function nameOf({ file, folder }: Reading): string {
  return `${file}, over the operations in ${folder}`;
}

function page(heads: readonly string[], lines: readonly string[]): string {
  const remark =
    'Contexts and instances are as the file names them: no cluster, MySQL or setting was looked at.';
  return `${[...heads, remark, '', ...lines].join('\n')}\n`;
}

function readOptions(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        file: { type: 'string', default: 'deploy/policy.yaml' },
        operations: { type: 'string', default: 'operations' },
        against: { type: 'string' },
        'against-operations': { type: 'string' },
        user: { type: 'string' },
        departments: { type: 'string' },
      },
    });
    if (values['against-operations'] !== undefined && values.against === undefined) {
      throw new InputError('--against-operations wants --against.');
    }
    return values;
  } catch (error) {
    throw new InputError(`${(error as Error).message}\n${usage}`);
  }
}

function subjectOf({ user, departments }: { readonly user?: string; readonly departments?: string }) {
  if (user === undefined) {
    if (departments !== undefined) throw new InputError(`--departments wants a --user.\n${usage}`);
    return undefined;
  }
  const read = principal.safeParse(user);
  if (!read.success) throw new InputError(`--user ${user} ${read.error.issues[0]?.message}`);
  if (departments !== undefined && !/^[1-9]\d{0,9}(,[1-9]\d{0,9})*$/.test(departments)) {
    throw new InputError('--departments wants the ids of departments, such as 7,8');
  }
  return { user: read.data, departments: departments?.split(',').map(Number) ?? [] } satisfies Subject;
}

if (import.meta.main) {
  try {
    const { text, exitCode } = await runCommand(process.argv.slice(2));
    process.stdout.write(text);
    process.exitCode = exitCode;
  } catch (error) {
    const isExpected = error instanceof ConfigError || error instanceof InputError;
    process.stderr.write(`${isExpected ? error.message : (error as Error).stack}\n`);
    // Also for a mistake of ours: 1 would say that something has changed.
    process.exitCode = 2;
  }
}
