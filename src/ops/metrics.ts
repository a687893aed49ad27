import type { Registry } from 'prom-client';
import type { Answer } from '../contract/answer.ts';
import { platform } from '../contract/platform.ts';
import { reasons } from '../errors.ts';
import { createReloads, metersOf } from '../server/metrics.ts';
import { handOvers } from './outbox/sender.ts';

/** How what was asked for ends when it goes wrong. */
const FAILURES = ['failed', 'unknown'] as const;

export type OpsMetrics = ReturnType<typeof createOpsMetrics>;

/** Registers the metrics of the ops platform. */
export function createOpsMetrics(registry: Registry) {
  const { histogram, counter, gauge } = metersOf(registry);
  const broken = '1 while the audit does not end as this replica has seen it, and so nothing is changed';
  const auditBroken = gauge('keypad_audit_broken', broken, []);
  auditBroken.set(0);
  const seconds = histogram('keypad_ops_request_seconds', 'Requests by operation and state', [
    'operation',
    'state',
  ]);
  const failed = counter(
    'keypad_ops_failures_total',
    'Requests that ended failed or unknown',
    ['operation', 'state'],
    Object.keys(platform).flatMap((name) => FAILURES.map((state) => [name, state] as const)),
  );
  const refused = counter(
    'keypad_ops_refusals_total',
    'Refused requests by reason',
    ['reason'],
    [...reasons, 'input'].map((reason) => [reason]),
  );
  return {
    /** These operations can fail from now on: an alert needs to see the first time. */
    operations(names: readonly string[]): void {
      for (const name of names) for (const state of FAILURES) failed.start(name, state);
    },
    /** A request was answered, so many seconds after it came. */
    request(operation: string, answer: Answer, took: number): void {
      seconds(operation, answer.state, took);
      if (answer.state === 'refused') refused(answer.reason);
      if (FAILURES.some((state) => state === answer.state)) failed(operation, answer.state);
    },
    /** A request came from an address that may not call. */
    refusedSource: (): void => refused('source'),
    reload: createReloads(registry),
    /** A message was handed to message delivery, or was not taken. */
    delivery: counter(
      'keypad_ops_outbox_total',
      'Messages of the outbox by what came of handing them to message delivery',
      ['result'],
      handOvers.map((result) => [result]),
    ),
    /** A row was found that the platform did not write, or not like this. */
    forged: counter(
      'keypad_ops_forged_total',
      'Rows with a wrong MAC, neither run nor told',
      ['table'],
      [['operations'], ['outbox']],
    ),
    /** The audit was found cut or changed. */
    auditBroken: (): void => auditBroken.set(1),
    /** A transaction lost a deadlock, or waited for a lock in vain, and was run again. */
    transactionRetried: counter(
      'keypad_ops_transaction_retries_total',
      'Transactions run again for a lock',
      [],
    ),
  };
}
