import type { ConfirmedChange } from '../operations/operation.ts';
import { LEASE_MS } from './store.ts';
import type { Replica } from './watcher.ts';

/** For so long nobody needs to hear that a change cannot be looked at. */
const TELL_AFTER_MS = 120_000;
const AT_MOST_MS = 3_600_000;
const GIVE_UP_AFTER_MS = 86_400_000;

/**
 * Puts off a change whose object cannot be looked at. Its lease ends, and so it is taken up again, after as long as it
 * has been open already, an hour at most; its user hears once that this takes longer. `known` is what is sure of it.
 * Answers false after a day, when it is time to end it.
 */
export async function putOff(
  { store, clock }: Replica,
  { id, target, startedAt }: ConfirmedChange,
  known: string,
): Promise<boolean> {
  const now = clock.now();
  const age = now - startedAt;
  if (age >= GIVE_UP_AFTER_MS) return false;
  const text = `${target}：${known}，现在看不到实际状态。会一直查下去，查到后告诉你，请不要重复操作`;
  const until = now + Math.min(Math.max(age, LEASE_MS), AT_MOST_MS);
  await store.putOff(id, { now, until, text: age < TELL_AFTER_MS ? null : text });
  return true;
}
