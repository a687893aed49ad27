import type { Answer } from '../../contract/answer.ts';
import { contract } from '../../contract/index.ts';
import type { VerifyingKeys } from '../../contract/keys.ts';
import { verifyToken } from '../../contract/token.ts';
import { InputError, Refused } from '../../errors.ts';
import { type Attempt, createAttempt } from '../audit/attempt.ts';
import type { Audit } from '../audit/audit.ts';
import type { Clock } from '../clock.ts';
import { type Database, isDatabaseAway } from '../database.ts';
import type { Acknowledgements } from '../engine/acknowledgements.ts';
import type { RequestedChange, Runner } from '../engine/runner.ts';
import { changes, reads } from '../operations/index.ts';
import type { AcknowledgeOperation, Context, ReadOperation } from '../operations/operation.ts';
import type { Subject } from '../policy/policy.ts';
import { TargetFailed } from '../target-failed.ts';
import { type ParsedRequest, parseRequest } from './parse-request.ts';
import { claimToken } from './replay-guard.ts';

/** A request whose source address may call; nothing else about it is known to be true. */
export interface IncomingRequest {
  /** The operation as the path names it. */
  readonly name: string;
  readonly isPreview: boolean;
  /** The Authorization header. */
  readonly authorization: string | undefined;
  readonly body: Uint8Array;
  readonly source: string;
}

/** Answers requests in the order of ARCHITECTURE.md: token, replay, policy, then the operation. Each end of it is in the audit. */
export type RequestHandler = (request: IncomingRequest) => Promise<Answer>;

export interface RequestParts {
  readonly keys: VerifyingKeys;
  readonly db: Database;
  readonly audit: Audit;
  readonly runner: Runner;
  readonly acknowledgements: Acknowledgements;
  readonly clock: Clock;
  contextFor(subject: Subject): Context;
}

/** Makes the handler. It throws only what is nobody's fault who asked: a database that is away, or a bug. */
export function createRequestHandler(parts: RequestParts): RequestHandler {
  const { audit, clock } = parts;
  return async (request) => {
    const operation = request.isPreview ? `${request.name}/preview` : request.name;
    const { source } = request;
    let attempt = createAttempt(audit, clock, clock.now(), { operation, source });
    try {
      const { subject, jti, expiresAt } = await identify(parts, request, operation);
      attempt = attempt.with({ user: subject.user, jti });
      await claimToken(parts.db, jti, expiresAt);
      const asked = parseRequest(request.name, request.isPreview, request.body);
      attempt = attempt.with({ input: asked.input, ...(asked.unit !== undefined && { unit: asked.unit }) });
      const context = parts.contextFor(subject);
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

/** Who asks, by the token; whether it was used before is not known yet. */
async function identify({ keys, clock }: RequestParts, request: IncomingRequest, operation: string) {
  const claims = await verifyToken(keys, bearerOf(request.authorization), {
    operation,
    body: request.body,
    now: clock.now(),
  });
  const subject: Subject = { user: claims.sub, departments: claims.departments ?? [] };
  return { subject, jti: claims.jti, expiresAt: claims.exp * 1000 };
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
    const implementation = reads[asked.name] as unknown as ReadOperation<never>;
    await attempt.record('allowed');
    const output = await implementation.run(context, asked.input as never);
    await attempt.record('done');
    return { state: 'done', output };
  }
  if (asked.kind === 'acknowledge') {
    const implementation = acknowledgements[asked.name] as unknown as AcknowledgeOperation<never>;
    return { state: 'done', output: await implementation.run(context, asked.input as never, attempt) };
  }
  const { name, input } = asked;
  const implementation = changes[name];
  const change = { name, implementation, input, context, attempt } as unknown as RequestedChange<never>;
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
