import type { Answer } from '../../contract/answer.ts';
import type { Unread } from '../../contract/operation.ts';
import type { AcknowledgeName } from '../../contract/platform.ts';
import { verifyToken } from '../../contract/token.ts';
import { Refused } from '../../errors.ts';
import type { Attempt } from '../audit/audit.ts';
import type { Engine } from '../engine/engine.ts';
import { inPlainLines } from '../foreign-text.ts';
import { canonicalJson } from '../json.ts';
import type { Context, ReadOperation } from '../operations/operation.ts';
import { readPlatform } from '../operations/platform.ts';
import type { Policy, Subject } from '../policy/policy.ts';
import type { Check, IncomingRequest } from './check.ts';
import { type ParsedRequest, parseRequest } from './parse-request.ts';

/** Makes what answers requests for operations, in the order of ARCHITECTURE.md: token, replay, policy, then the operation. */
export function createRequestHandler(check: Check, engine: Engine) {
  return (name: string, isPreview: boolean, request: IncomingRequest): Promise<Answer> => {
    const operation = isPreview ? `${name}/preview` : name;
    return check({ ...request, operation }, verifyToken, async (claims, attempt) => {
      const subject: Subject = { user: claims.sub, departments: claims.departments ?? [] };
      const asked = parseRequest(engine.operations, { name, isPreview, body: request.body });
      attempt.note({ input: canonicalJson(asked.input), unit: asked.unit ?? '' });
      const policy = engine.policy();
      checkRight(policy, subject, asked);
      return asked.found === undefined
        ? answerOfPlatform(engine, asked, subject, attempt)
        : answerTo(engine, asked, engine.contextFor(subject.user, asked.unit ?? ''), attempt);
    });
  };
}

function checkRight(policy: Policy, subject: Subject, { name, title, unit }: ParsedRequest): void {
  if (policy.allows(subject, name, unit)) return;
  const where = unit === undefined ? '' : `在「${unit}」`;
  throw new Refused('policy', `你没有权限${where}执行：${title}`);
}

async function answerOfPlatform(
  { policy, acknowledgements, now }: Engine,
  { name, input }: ParsedRequest,
  subject: Subject,
  attempt: Attempt,
): Promise<Answer> {
  const acknowledge = acknowledgements[name as AcknowledgeName];
  if (acknowledge !== undefined) {
    const output = await acknowledge({ subject, now: now() }, input as never, attempt);
    return { state: 'done', output };
  }
  await attempt.record('allowed');
  const output = readPlatform(name, policy(), subject);
  await attempt.record('done');
  return { state: 'done', output };
}

async function answerTo(
  { runner, limitedReads, now }: Engine,
  { name, found, input, confirmed }: ParsedRequest,
  context: Context,
  attempt: Attempt,
): Promise<Answer> {
  if (found === undefined) throw new Error(`${name} is no operation`);
  const { operation, definition } = found;
  if (operation.kind === 'read') {
    const output = await limitedReads.during({ name, operation }, now, async () => {
      await attempt.record('allowed');
      return inPlainLines(outputOf(operation, context, input));
    });
    const { unread } = (Array.isArray(output) ? output : {}) as Unread;
    await attempt.record('done', unread?.join('；'));
    return { state: 'done', output, ...(unread && { unread: [...unread] }) };
  }
  const change = { name, definition, implementation: operation, input: input as never, context, attempt };
  return confirmed === undefined ? runner.preview(change) : runner.run(change, confirmed);
}

/** What a read answers, in the form that it says it has: menus rely on that. */
async function outputOf(
  { title, output, run }: ReadOperation,
  context: Context,
  input: unknown,
): Promise<unknown> {
  const answered = await run(context, input);
  const read = output.safeParse(answered);
  if (!read.success) throw new Error(`${title} answered what its output has not: ${read.error.message}`);
  const { unread } = (Array.isArray(answered) ? answered : {}) as Unread;
  return unread === undefined ? read.data : Object.assign(read.data as object, { unread });
}
