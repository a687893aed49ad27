import { stamp } from './json.ts';
import type { Condition } from './shapes.ts';

/** A condition without its times. */
export interface ConditionState {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
}

/**
 * The list with this condition in it. One that says the same as before is left alone, its times too;
 * `lastTransitionTime` moves only with the status.
 */
export function withCondition(
  conditions: Condition[] | undefined,
  said: ConditionState,
  now: Date,
): Condition[] {
  const before = conditions?.find((condition) => condition.type === said.type);
  const same = before?.status === said.status;
  if (before !== undefined && same && before.reason === said.reason && before.message === said.message) {
    return conditions ?? [];
  }
  const lastTransitionTime = (same ? before?.lastTransitionTime : undefined) ?? stamp(now);
  const next: Condition = { ...said, lastTransitionTime };
  return [...(conditions ?? []).filter((condition) => condition.type !== said.type), next];
}

/** Whether the condition of that type is there and true. */
export function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return conditions?.some((condition) => condition.type === type && condition.status === 'True') ?? false;
}
