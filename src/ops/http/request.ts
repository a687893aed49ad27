import type { Answer } from '../../contract/answer.ts';
import { contract } from '../../contract/index.ts';
import type { VerifyingKeys } from '../../contract/keys.ts';
import { verifyToken } from '../../contract/token.ts';
import { InputError, Refused } from '../../errors.ts';
import { type Attempt, createAttempt } from '../audit/attempt.ts';
import type { Audit } from '../audit/audit.ts';
import type { Clock } from '../clock.ts';
import { type Database, isDatabaseAway } from '../database.ts';
import type { Engine } from '../engine/engine.ts';
import type { RequestedChange } from '../engine/runner.ts';
import { canonicalJson } from '../json.ts';
import { changes, reads } from '../operations/index.ts';
import type { AcknowledgeOperation, Context, ReadOperation } from '../operations/operation.ts';
import { TargetFailed } from '../target-failed.ts';
import { type ParsedRequest, parseRequest } from './parse-request.ts';
import { claimToken } from './replay-guard.ts';

/** A request whose source address may call; nothing else about it is known to be true. */
export interface IncomingRequest {
  /** The Authorization header. */
  readonly authorization: string | undefined;
  readonly body: Uint8Array;
  readonly source: string;
}

/** What every request is checked with, and written down in. */
export interface CheckParts {
  readonly keys: VerifyingKeys;
  readonly db: Database;
  readonly audit: Audit;
  readonly clock: Clock;
}

export type RequestParts = CheckParts & Pick<Engine, 'runner' | 'acknowledgements' | 'contextFor'>;

/** Answers a request for the operation that the path names. */
export type RequestHandler = (name: string, isPreview: boolean, request: IncomingRequest) => Promise<Answer>;

/**
 * Makes the handler, which goes in the order of ARCHITECTURE.md: token, replay, policy, then the operation. Each end of it
 * is in the audit. It throws only what is nobody's fault who asked: a database that is away, or a bug.
 */
export function createRequestHandler(parts: RequestParts): RequestHandler {
  const { keys, db, audit, clock } = parts;
  return async (name, isPreview, { authorization, body, source }) => {
    const operation = isPreview ? `${name}/preview` : name;
    let attempt = createAttempt(audit, clock, clock.now(), { operation, source });
    try {
      const use = { operation, body, now: clock.now() };
      const { sub: user, departments = [], jti, exp } = await verifyToken(keys, bearerOf(authorization), use);
      attempt = attempt.with({ user, jti });
      await claimToken(db, jti, exp * 1000);
      const asked = parseRequest(name, isPreview, body);
      attempt = attempt.with({ input: canonicalJson(asked.input), unit: asked.unit ?? '' });
      const context = parts.contextFor({ user, departments });
      checkRight(context, asked);
      return await answerTo(parts, asked, context, attempt);
    } catch (error) {
      return await refuse(attempt, error);
    }
  };
}

/** The token in an Authorization header; empty, which no check lets pass, when there is none. */
export function bearerOf(authorization: string | undefined): string {
  return /^Bearer ([\w.-]{1,4096})$/i.exec(authorization ?? '')?.[1] ?? '';
}

function checkRight({ policy, subject }: Context, { name, unit }: ParsedRequest): void {
  if (policy.allows(subject, name, unit)) return;
  const where = unit === undefined ? '' : `在「${unit}」`;
  throw new Refused('policy', `你没有权限${where}执行：${contract[name].title}`);
}

async function answerTo(
  { runner, acknowledgements }: RequestParts,
  asked: ParsedRequest,
  context: Context,
  attempt: Attempt,
): Promise<Answer> {
  if (asked.kind === 'read') {
    const implementation = reads[asked.name] as ReadOperation;
    await attempt.record('allowed');
    const output = await implementation.run(context, asked.input);
    await attempt.record('done');
    return { state: 'done', output };
  }
  if (asked.kind === 'acknowledge') {
    const implementation = acknowledgements[asked.name] as AcknowledgeOperation;
    return { state: 'done', output: await implementation.run(context, asked.input, attempt) };
  }
  const { name, input } = asked;
  const change: RequestedChange = { name, implementation: changes[name], input, context, attempt };
  return asked.kind === 'preview' ? runner.preview(change) : runner.run(change, asked.confirmed);
}

/** The answer to what went wrong, once it is recorded. What is neither a refusal nor a failed target is thrown on. */
export async function refuse(attempt: Attempt, error: unknown): Promise<Answer> {
  if (error instanceof Refused) {
    const { reason, message } = error;
    await attempt.record(reason === 'expired' ? 'expired' : 'denied', `${reason}: ${message}`);
    return { state: 'refused', reason, message };
  }
  if (error instanceof InputError) {
    await attempt.record('denied', `input: ${error.message}`);
    return { state: 'refused', reason: 'input', message: error.message };
  }
  if (error instanceof TargetFailed) {
    await attempt.record('failed', error.message);
    return { state: 'failed', message: error.message };
  }
  if (!isDatabaseAway(error)) {
    await attempt.record('failed', 'an error of the platform itself').catch(() => undefined);
  }
  throw error;
}
