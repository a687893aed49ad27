import type { Answer } from '../../contract/answer.ts';
import { REPORTS, report } from '../../contract/report.ts';
import { verifyReportToken } from '../../contract/token.ts';
import type { Audit } from '../audit/audit.ts';
import type { Check, IncomingRequest } from './check.ts';
import { readBody } from './parse-request.ts';

/** Makes what takes reports of the bot: checked like a request for an operation, written down, and nothing else. */
export function createReportHandler(
  check: Check,
  audit: Audit,
  notifyAdmins: (problems: readonly string[]) => Promise<void>,
) {
  return (request: IncomingRequest): Promise<Answer> =>
    check({ ...request, operation: REPORTS }, verifyReportToken, async ({ jti }, { startedAt: at }) => {
      const { refusals, problems } = readBody(report, request.body);
      const seen = { at, operation: REPORTS, jti, source: request.source, outcome: 'denied' } as const;
      const rows = refusals.map(({ user = '', kind, at: target, count }) => {
        const reason = `bot: ${kind}: ${count} times${user === '' ? ', by several users' : ''}`;
        return audit.append({ ...seen, user, target, reason });
      });
      await Promise.all(rows);
      if (problems.length > 0) await notifyAdmins(problems);
      return { state: 'done' };
    });
}
