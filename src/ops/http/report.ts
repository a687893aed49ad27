import type { Answer } from '../../contract/answer.ts';
import { REPORTS, type Report, report } from '../../contract/report.ts';
import { verifyReportToken } from '../../contract/token.ts';
import { createAttempt } from '../audit/attempt.ts';
import { readBody } from './parse-request.ts';
import { claimToken } from './replay-guard.ts';
import { bearerOf, type IncomingRequest, type RequestParts, refuse } from './request.ts';

/** Takes reports of the bot: checked like a request for an operation, written down, and nothing else. */
export type ReportHandler = (request: Omit<IncomingRequest, 'name' | 'isPreview'>) => Promise<Answer>;

export interface ReportParts extends Pick<RequestParts, 'keys' | 'db' | 'audit' | 'clock'> {
  /** Tells the admins about files with problems. */
  notifyAdmins(problems: readonly string[]): Promise<void>;
}

/** Makes the handler. It throws only what is nobody's fault who asked: a database that is away, or a bug. */
export function createReportHandler(parts: ReportParts): ReportHandler {
  const { keys, db, audit, clock } = parts;
  return async ({ authorization, body, source }) => {
    let attempt = createAttempt(audit, clock, clock.now(), { operation: REPORTS, source });
    try {
      const now = clock.now();
      const { jti, exp } = await verifyReportToken(keys, bearerOf(authorization), {
        operation: REPORTS,
        body,
        now,
      });
      attempt = attempt.with({ jti });
      await claimToken(db, jti, exp * 1000);
      const { refusals, problems } = readBody(report, body);
      await Promise.all(refusals.map((refusal) => audit.append(rowOf(refusal, { at: now, jti, source }))));
      if (problems.length > 0) await parts.notifyAdmins(problems);
      return { state: 'done' };
    } catch (error) {
      return await refuse(attempt, error);
    }
  };
}

function rowOf(
  { user, kind, at: target, count }: Report['refusals'][number],
  seen: { readonly at: number; readonly jti: string; readonly source: string },
) {
  const who = user === undefined ? { reason: `bot: ${kind}: ${count} times, by several users` } : { user };
  return {
    outcome: 'denied' as const,
    operation: REPORTS,
    target,
    reason: `bot: ${kind}: ${count} times`,
    ...seen,
    ...who,
  };
}
