import { InputError } from '../../errors.ts';
import { TargetFailed } from '../target-failed.ts';
import { findProgram, type Machine } from './command-program.ts';
import type { CommandCall, CommandEnd, CommandRun } from './commands.ts';
import type { Values } from './inputs.ts';
import { type SecretValues, withoutSecrets } from './secrets.ts';
import type { Template } from './template.ts';

/** A command as its declaration was read. */
export interface DeclaredCommand {
  readonly title: string;
  /** As the declaration writes it. */
  readonly run: string;
  readonly args: readonly DeclaredArgument[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: Template | undefined;
  readonly seconds: number;
  readonly lines: number;
  /** What exit codes mean. */
  readonly exit: Readonly<Record<string, string>>;
  readonly success: readonly number[];
  secrets(): SecretValues;
}

interface DeclaredArgument {
  readonly text: Template;
  /** It begins with what was typed, which then may not begin with a dash. */
  readonly isTypedFirst: boolean;
}

/** What every command has, unless its declaration says otherwise; nothing of the platform's own. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };

/** The arguments, each one whatever is in it. Throws an InputError where a value would be taken for an option. */
export function argumentsOf({ args }: DeclaredCommand, values: Values): readonly string[] {
  return args.map(({ text, isTypedFirst }) => {
    const argument = text.fill((name) => `${values[name]}`);
    if (isTypedFirst && argument.startsWith('-')) throw new InputError(`「${argument}」不能以 - 开头`);
    return argument;
  });
}

/** How a command is called now. Throws a TargetFailed when it cannot be, and nothing has happened. */
export function callOf(
  command: DeclaredCommand,
  values: Values,
  { machine, patienceMs }: { readonly machine: Machine; readonly patienceMs: number },
): CommandCall & { readonly version: string } {
  const { cwd, env, stdin, seconds, lines } = command;
  const args = argumentsOf(command, values);
  const { path, version, secrets } = prepared(command, machine);
  return {
    ...{ path, version, args, cwd, seconds, patienceMs, lines },
    env: { ...ENVIRONMENT, ...env, ...secrets },
    stdin: stdin?.fill((name) => `${values[name]}`),
    hide: (line) => withoutSecrets(line, secrets),
  };
}

/** What stands on the machine only. */
export function prepared(command: DeclaredCommand, machine: Machine) {
  try {
    return { ...findProgram(command.run, machine), secrets: command.secrets() };
  } catch (cause) {
    if (!(cause instanceof InputError)) throw cause;
    throw new TargetFailed(`「${command.title}」的程序现在不能执行，请联系运维负责人`, {
      mayHaveHappened: false,
      cause,
    });
  }
}

/** How it ended, in words, and whether that is good. */
export function wordOf(
  { exit, success, seconds }: DeclaredCommand,
  end: CommandEnd,
): { readonly isGood: boolean; readonly text: string } {
  switch (end.how) {
    case 'exit': {
      const isGood = success.includes(end.code);
      const meaning = exit[end.code];
      if (isGood) return { isGood, text: meaning ?? '已完成' };
      return {
        isGood,
        text: meaning === undefined ? `退出码 ${end.code}` : `${meaning}（退出码 ${end.code}）`,
      };
    }
    case 'signal':
      return { isGood: false, text: `被信号 ${end.signal} 中止` };
    case 'late':
      return { isGood: false, text: `超过 ${seconds} 秒，被中止` };
    case 'stopped':
      return { isGood: false, text: '平台中断过，脚本被中止' };
  }
}

/** The last lines, and how many there were before. */
export function linesOf({ output }: CommandRun): string[] {
  const before = output.before();
  return [...(before > 0 ? [`……前面还有 ${before} 行`] : []), ...output.lines()];
}
