import { statSync } from 'node:fs';
import * as z from 'zod';
import { ConfigError, InputError } from '../../errors.ts';
import type { Operation, ReadOperation } from '../operations/operation.ts';
import { TargetFailed } from '../target-failed.ts';
import { callOf, type DeclaredCommand, linesOf, wordOf } from './command-call.ts';
import { commandChange } from './command-change.ts';
import { findProgram } from './command-program.ts';
import type { Commands } from './commands.ts';
import { type DeclaredParts, readDeclaration, readOr } from './declaration.ts';
import { schemaOf, type Values } from './inputs.ts';
import { createSecrets, secretsForm } from './secrets.ts';
import { createReader, type Findings } from './template.ts';

/** What a dynamic linker or an interpreter obeys would run before the program does, as the platform's own user. */
const OBEYED = /^(LD_|GLIBC|GCONV|BASH|KEYPAD_|(ENV|IFS|SHELLOPTS|PS4|NODE_OPTIONS)$)/;
const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'is no name of a variable')
  .refine((name) => !OBEYED.test(name), 'is obeyed by linkers and shells; the program has to set it itself');
const code = z.int().min(0).max(255);

const form = z.strictObject({
  run: z
    .string()
    .regex(
      /^(\/|\.\/)[^\0\n]+$/,
      'is the whole path of a program, or ./ and its path in the folder of operations',
    ),
  /** Each is one argument, whatever is put into it. */
  args: z
    .array(
      z.union([
        z.string().max(2000),
        /** `dash` lets an argument that begins with a part begin with `-`. */
        z.strictObject({ text: z.string().max(2000), dash: z.literal('allowed') }),
      ]),
    )
    .max(100)
    .default([]),
  cwd: z.string().startsWith('/', 'is a path that begins with /').default('/'),
  env: z
    .record(
      variable,
      z
        .string()
        .max(8000)
        .regex(/^[^\0]*$/),
    )
    .default({}),
  /** They go into the environment of the program, and nowhere else. */
  secrets: secretsForm,
  stdin: z.string().max(100_000).optional(),
  seconds: z.int().min(1).max(600).default(10),
  /** What exit codes mean, in the words that are read on the phone. */
  exit: z.record(z.string().regex(/^\d{1,3}$/, 'is no exit code'), z.string().min(1).max(100)).default({}),
  /** The codes that are good. */
  success: z.array(code).min(1).default([0]),
  /** So many of its last lines are shown. */
  lines: z.int().min(1).max(200).default(20),
  /** What is changed, as the person reads it; the path of the program when it is left out. */
  target: z.string().min(1).max(100).optional(),
});

const MOST_SECONDS_OF_READ = 10;
const MOST_LINES_OF_CHANGE = 20;
const READ_PATIENCE_MS = 1000;

/**
 * Reads the declaration of a program with its arguments, run without a shell: a read, which answers its lines, or a change.
 * Throws a ConfigError of every problem.
 */
export function readCommand(text: string, { environment, commands }: DeclaredParts): Operation {
  const { title, risk, input, own, ...rest } = readDeclaration(text, 'command', form);
  const findings: Findings = { problems: [], used: new Set() };
  const { problems, used } = findings;
  const values = ['unit', ...Object.keys(input)];
  const read = createReader({ values, secrets: [] }, findings);
  const args = own.args.map((each, index) => {
    const [text, isFree] = typeof each === 'string' ? [each, false] : [each.text, true];
    if (Object.keys(own.secrets).some((name) => text.includes(`{${name}}`)))
      problems.push(
        `command.args.${index}: a secret has no place in an argument, which everybody on the machine can read; it is in the environment`,
      );
    return { text: read(`command.args.${index}`, text), isTypedFirst: !isFree && /^\{[^{]/.test(text) };
  });
  const command: DeclaredCommand = {
    ...own,
    title,
    args,
    stdin: own.stdin === undefined ? undefined : read('command.stdin', own.stdin),
    secrets: createSecrets(own.secrets, environment ?? {}),
  };
  const target = read('command.target', own.target ?? own.run.replace(/[{}]/g, '$&$&'));
  for (const name of Object.keys(own.secrets)) {
    if (name in own.env) problems.push(`command.env.${name}: is a secret too; give one of them another name`);
    if (OBEYED.test(name)) problems.push(`command.secrets.${name}: is obeyed by linkers and shells`);
  }
  for (const name of Object.keys(input)) if (!used.has(name)) problems.push(`input.${name}: is used nowhere`);
  if (risk === 'read' && own.seconds > MOST_SECONDS_OF_READ)
    problems.push(`command.seconds: somebody waits for a read, for ${MOST_SECONDS_OF_READ} s at most`);
  if (risk !== 'read' && own.lines > MOST_LINES_OF_CHANGE)
    problems.push(`command.lines: a change shows its last ${MOST_LINES_OF_CHANGE} lines at most`);
  if (environment !== undefined && commands !== undefined) {
    const look = (at: string, check: () => unknown) => readOr(check, `command.${at}`, problems);
    look('secrets', command.secrets);
    look('run', commands.check);
    look('run', () => findProgram(own.run, commands.machine));
    look('cwd', () => checkFolder(own.cwd));
  }
  if (problems.length > 0) throw new ConfigError(problems);
  const here = commands ?? NOWHERE;
  const operation =
    risk === 'read'
      ? readingOf({ command, commands: here, input: schemaOf(input) })
      : commandChange({ command, risk: risk as 'low' | 'high', input, target, commands: here });
  return { ...rest, ...operation } as Operation;
}

function readingOf(parts: {
  readonly command: DeclaredCommand;
  readonly commands: Commands;
  readonly input: z.ZodType<Values>;
}): ReadOperation<Values, string[]> {
  const { command, commands, input } = parts;
  return {
    kind: 'read',
    title: command.title,
    input,
    output: z.array(z.string()),
    async run(_context, values) {
      const call = callOf(command, values, { machine: commands.machine, patienceMs: READ_PATIENCE_MS });
      const run = await commands.start(call);
      const { isGood, text } = wordOf(command, await run.ended);
      if (isGood) return linesOf(run);
      const last = run.output.lines().at(-1);
      const said = last === undefined ? '' : `；最后一行：${last}`;
      throw new TargetFailed(`${command.title}没有成功：${text}${said}`, { mayHaveHappened: false });
    },
  };
}

function checkFolder(path: string): void {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new InputError(`${path} is no folder; make it, or write another one`);
}

/** For whoever only reads what there is. */
const NOWHERE: Commands = {
  machine: { folder: '/', user: undefined },
  check: () => {},
  start: () => Promise.reject(new Error('no command is run here')),
  startChange: () => Promise.reject(new Error('no command is run here')),
  ofChange: () => undefined,
  close: async () => {},
};
