import type { Risk } from '../../contract/operation.ts';
import { type ChangeOperation, type Context, change, type Finding } from '../operations/operation.ts';
import { TargetFailed } from '../target-failed.ts';
import type { Expression } from './expression.ts';
import { type CallParts, openCalls } from './http-call.ts';
import type { WriteRequest } from './http-request.ts';
import type { Inputs, Values } from './inputs.ts';
import { schemaOf, typedLines } from './inputs.ts';
import type { Template } from './template.ts';

/** A change by one request, as its declaration was read. */
export interface HttpChangeParts extends CallParts {
  readonly title: string;
  readonly risk: Risk;
  readonly input: Inputs;
  readonly target: Template;
  readonly request: WriteRequest;
  readonly seconds: number;
  readonly show: Expression | undefined;
  /** The header that gets the id of the operation. */
  readonly idempotency: string | undefined;
  readonly preview: Preview | undefined;
  readonly check: Check | undefined;
}

interface Preview {
  readonly request: WriteRequest;
  readonly show: Expression | undefined;
  readonly difference:
    | { readonly what: string; readonly before: Expression; readonly after: Template }
    | undefined;
}

interface Check {
  readonly request: WriteRequest;
  readonly applied: Expression;
  readonly never: Expression | undefined;
}

/** A look right before an effect has to leave it the time that the engine gives to both. */
const LOOK_SECONDS = 3;
const NOTHING = '（空）';

/** Makes the change of a declaration. What its preview says is compared again right before the effect, by `change`. */
export function httpChange(parts: HttpChangeParts): ChangeOperation<Values> {
  const { title, risk, input, target, preview, check } = parts;
  const lookSeconds = Math.min(parts.seconds, LOOK_SECONDS);

  const previewed = async (context: Context, values: Values) => {
    if (preview === undefined) return { lines: [], before: null, after: null };
    const { request: write, show, difference } = preview;
    const calls = openCalls(context, unitOf(values), parts);
    const answer = await calls.send({ write, values, seconds: lookSeconds, isLook: true });
    const shown = show === undefined ? [] : answer.lines(show);
    if (difference === undefined) return { lines: shown, before: shown, after: null };
    const before = answer.lines(difference.before).join('，') || NOTHING;
    const after = difference.after.fill((name) => `${values[name]}`);
    return { lines: [`${difference.what}${before} → ${after}`, ...shown], before, after };
  };

  return change<Values>({
    title,
    input: schemaOf(input),
    async inspect(context, values) {
      const of = target.fill((name) => `${values[name]}`);
      const { lines, before, after } = await previewed(context, values);
      return {
        target: of,
        lines: [`${unitOf(values)} · ${of}`, ...typedLines(input, values), ...lines],
        risk,
        before,
        after,
      };
    },
    async apply(context, { id, input: values, target: of }, checkTime) {
      const calls = openCalls(context, unitOf(values), parts);
      const { request: write, seconds, idempotency, show } = parts;
      checkTime();
      const answer = await calls.send({
        write,
        values: { ...values, id },
        seconds,
        ...(idempotency && { headers: { [idempotency]: id } }),
      });
      const done = `${title} ${of}：`;
      if (show === undefined) return { final: true, text: `${done}已执行（${answer.status}）` };
      try {
        return { final: true, text: `${done}${answer.lines(show).join('，') || '已执行'}` };
      } catch (error) {
        // The service said by its status that it is done; what it said besides is in the log.
        if (!(error instanceof TargetFailed)) throw error;
        return { final: true, text: `${done}已执行，但服务的回答看不懂` };
      }
    },
    ...(check && {
      async reconcile(context, { id, input: values }): Promise<Finding> {
        const calls = openCalls(context, unitOf(values), parts);
        const answer = await calls.send({
          write: check.request,
          values: { ...values, id },
          seconds: lookSeconds,
          isLook: true,
        });
        if (answer.isTrue(check.applied)) return { effect: 'applied' };
        // Only the service can know that what is still on its way to it will have no effect.
        if (check.never && answer.isTrue(check.never)) return { effect: 'never' };
        return { effect: 'unknown', text: `服务 ${parts.service} 里没有它生效的记录` };
      },
    }),
  });
}

function unitOf(values: Values): string {
  return `${values.unit}`;
}
