import type { Answer } from '../../contract/answer.ts';
import { type AcknowledgeName, type ChangeName, contract, type ReadName } from '../../contract/index.ts';
import type { Unread } from '../../contract/operation.ts';
import { verifyToken } from '../../contract/token.ts';
import { Refused } from '../../errors.ts';
import type { Attempt } from '../audit/audit.ts';
import type { Engine } from '../engine/engine.ts';
import { canonicalJson } from '../json.ts';
import { inPlainLines } from '../operations/foreign-text.ts';
import { changes, reads } from '../operations/index.ts';
import type { AcknowledgeOperation, Context, ReadOperation } from '../operations/operation.ts';
import type { Check, IncomingRequest } from './check.ts';
import { type ParsedRequest, parseRequest } from './parse-request.ts';

/** Makes what answers requests for operations, in the order of ARCHITECTURE.md: token, replay, policy, then the operation. */
export function createRequestHandler(check: Check, engine: Engine) {
  return (name: string, isPreview: boolean, request: IncomingRequest): Promise<Answer> => {
    const operation = isPreview ? `${name}/preview` : name;
    return check({ ...request, operation }, verifyToken, (claims, attempt) => {
      const { sub: user, departments = [] } = claims;
      const asked = parseRequest(name, isPreview, request.body);
      attempt.note({ input: canonicalJson(asked.input), unit: asked.unit ?? '' });
      const context = engine.contextFor({ user, departments });
      checkRight(context, asked);
      return answerTo(engine, asked, context, attempt);
    });
  };
}

function checkRight({ policy, subject }: Context, { name, unit }: ParsedRequest): void {
  if (policy.allows(subject, name, unit)) return;
  const where = unit === undefined ? '' : `在「${unit}」`;
  throw new Refused('policy', `你没有权限${where}执行：${contract[name].title}`);
}

async function answerTo(
  { runner, acknowledgements }: Engine,
  { name, input, confirmed }: ParsedRequest,
  context: Context,
  attempt: Attempt,
): Promise<Answer> {
  switch (contract[name].kind) {
    case 'read': {
      const read = reads[name as ReadName] as ReadOperation;
      await attempt.record('allowed');
      const output = await inPlainLines(read(context, input as never));
      const { unread } = (Array.isArray(output) ? output : {}) as Unread;
      await attempt.record('done', unread?.join('；'));
      return { state: 'done', output, ...(unread && { unread: [...unread] }) };
    }
    case 'acknowledge': {
      const acknowledge = acknowledgements[name as AcknowledgeName] as AcknowledgeOperation;
      return { state: 'done', output: await acknowledge(context, input as never, attempt) };
    }
    case 'change': {
      const implementation = changes[name as ChangeName];
      const change = { name: name as ChangeName, implementation, input: input as never, context, attempt };
      return confirmed === undefined ? runner.preview(change) : runner.run(change, confirmed);
    }
  }
}
