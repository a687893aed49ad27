import type { Answer } from '../../contract/answer.ts';
import { REPORTS, report } from '../../contract/report.ts';
import { verifyReportToken } from '../../contract/token.ts';
import { createAttempt } from '../audit/attempt.ts';
import { readBody } from './parse-request.ts';
import { claimToken } from './replay-guard.ts';
import { bearerOf, type CheckParts, type IncomingRequest, refuse } from './request.ts';

/** Takes reports of the bot: checked like a request for an operation, written down, and nothing else. */
export type ReportHandler = (request: IncomingRequest) => Promise<Answer>;

export interface ReportParts extends CheckParts {
  /** Tells the admins about files with problems. */
  notifyAdmins(problems: readonly string[]): Promise<void>;
}

/** Makes the handler. It throws only what is nobody's fault who asked: a database that is away, or a bug. */
export function createReportHandler(parts: ReportParts): ReportHandler {
  const { keys, db, audit, clock } = parts;
  return async ({ authorization, body, source }) => {
    const now = clock.now();
    let attempt = createAttempt(audit, clock, now, { operation: REPORTS, source });
    try {
      const use = { operation: REPORTS, body, now };
      const { jti, exp } = await verifyReportToken(keys, bearerOf(authorization), use);
      attempt = attempt.with({ jti });
      await claimToken(db, jti, exp * 1000);
      const { refusals, problems } = readBody(report, body);
      const rows = refusals.map(({ user, kind, at: target, count }) => {
        const reason = `bot: ${kind}: ${count} times${user === undefined ? ', by several users' : ''}`;
        const seen = { at: now, operation: REPORTS, jti, source };
        return audit.append({ ...seen, outcome: 'denied', user: user ?? '', target, reason });
      });
      await Promise.all(rows);
      if (problems.length > 0) await parts.notifyAdmins(problems);
      return { state: 'done' };
    } catch (error) {
      return await refuse(attempt, error);
    }
  };
}
