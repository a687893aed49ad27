import type { Risk } from '../../contract/operation.ts';
import { Refused } from '../../errors.ts';
import {
  type ChangeOperation,
  type ConfirmedChange,
  change,
  type Observation,
} from '../operations/operation.ts';
import { argumentsOf, callOf, type DeclaredCommand, linesOf, prepared, wordOf } from './command-call.ts';
import type { CommandRun, Commands } from './commands.ts';
import { type Inputs, schemaOf, typedLines, type Values } from './inputs.ts';
import type { Template } from './template.ts';

/** A change by a command, as its declaration was read. */
export interface CommandChangeParts {
  readonly command: DeclaredCommand;
  readonly risk: Risk;
  readonly input: Inputs;
  readonly target: Template;
  readonly commands: Commands;
}

/** How long a command that was asked to end may take, and what comes after it. */
const PATIENCE_MS = 5000;
const ENDING_SECONDS = 30;

/**
 * Makes the change of a declaration. The program is started once, on the replica that takes the confirmation, and lives no
 * longer than that: who finds a change without its program knows that it was ended in the middle, or was never begun.
 */
export function commandChange({
  command,
  risk,
  input,
  target,
  commands,
}: CommandChangeParts): ChangeOperation<Values> {
  const { title } = command;
  const { machine } = commands;
  const named = (of: Pick<ConfirmedChange, 'target'>, text: string) => `${title} ${of.target}：${text}`;

  const seenOf = (of: Pick<ConfirmedChange, 'target'>, run: CommandRun): Observation => {
    const end = run.end();
    const lines = linesOf(run);
    if (end === undefined) {
      const seconds = Math.round((Date.now() - run.startedAt) / 1000);
      return { final: false, text: named(of, `还在执行（${seconds} 秒）`), lines };
    }
    const { isGood, text } = wordOf(command, end);
    if (isGood) return { final: true, text: named(of, text), lines };
    const outcome = end.how === 'stopped' ? 'unknown' : 'failed';
    return { final: true, outcome, text: named(of, `没有成功，${text}，可能只做了一部分`), lines };
  };

  return change<Values>({
    title,
    input: schemaOf(input),
    followSeconds: command.seconds + ENDING_SECONDS,
    async inspect(_context, values) {
      const of = target.fill((name) => `${values[name]}`);
      argumentsOf(command, values);
      const { version } = prepared(command, machine);
      const lines = [`${values.unit} · ${of}`, ...typedLines(input, values), `最长 ${command.seconds} 秒`];
      return { target: of, lines, risk, version };
    },
    async apply(_context, { id, input: values, version }, checkTime) {
      const call = callOf(command, values, { machine, patienceMs: PATIENCE_MS });
      if (call.version !== version) throw new Refused('moved', '要执行的程序刚刚被换过');
      checkTime();
      await commands.startChange(id, call);
    },
    async observe(_context, confirmed) {
      const run = commands.ofChange(confirmed.id);
      if (run !== undefined) return seenOf(confirmed, run);
      const text = named(confirmed, '结果不明，平台中断过，脚本被中止，可能只做了一部分，请自行确认');
      return { final: true, outcome: 'unknown', text };
    },
    async reconcile(_context, { id }) {
      if (commands.ofChange(id) !== undefined) return { effect: 'applied' };
      return { effect: 'unknown', text: '脚本可能没有开始，也可能被中止、只做了一部分' };
    },
    async stop({ id }) {
      await commands.ofChange(id)?.stop();
    },
  });
}
