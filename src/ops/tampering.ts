import type { Log } from '../server/log.ts';
import type { Audit, AuditWitness } from './audit/audit.ts';
import type { Clock } from './clock.ts';
import type { createOpsMetrics } from './metrics.ts';
import type { Forgery } from './records.ts';

interface TamperingParts {
  readonly log: Log;
  readonly metrics: ReturnType<typeof createOpsMetrics>;
  readonly clock: Clock;
}

/** Makes what says aloud that somebody with the database changed what only the platform writes: log, metrics, and audit. */
export function createTampering({ log, metrics, clock }: TamperingParts) {
  const witness: AuditWitness = {
    broken(problem) {
      metrics.auditBroken();
      log.error({ problem }, 'the audit was cut or changed: nothing is changed until a restart');
    },
    unwritten: (entry) => log.info({ entry }, 'a row of the audit that cannot be written'),
    newest: ({ seq, mac }) => log.info({ link: `${seq}:${mac}` }, 'the newest link of the audit'),
  };
  return {
    witness,
    /** Rows got a MAC without being known, which is right once: at the update from a version without MACs. */
    async sealed(audit: Audit, count: number): Promise<void> {
      const reason = `${count} open rows of an earlier version got a MAC`;
      await audit.append({ at: clock.now(), outcome: 'done', operation: 'migration', reason });
    },
    /** Answers when the audit has it. */
    async forged(audit: Audit, { table, id, ...found }: Forgery): Promise<void> {
      metrics.forged(table);
      log.error({ table, row: id, ...found }, 'a row that the platform did not write like this');
      await audit.append({ ...found, at: clock.now(), outcome: 'denied', reason: `forged: ${table} ${id}` });
    },
  };
}
