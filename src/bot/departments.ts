import { setTimeout as sleep } from 'node:timers/promises';

interface DepartmentsParts<Q> {
  keyOf(member: Q): string;
  /** May take as long as it likes, and reject. */
  ask(member: Q): Promise<readonly number[]>;
  /** Unix ms. */
  now(): number;
  /** Resolves after so many ms; keeps no process alive. */
  readonly wait?: (ms: number) => Promise<unknown>;
  onError(error: unknown, member: Q): void;
}

interface Known {
  readonly askedAt: number;
  /** Resolves when the question is answered, or failed. */
  readonly asked: Promise<void>;
  isAsking: boolean;
  answer: { readonly departments: readonly number[]; readonly at: number } | undefined;
}

/** How long an answer is believed without asking again. */
const FRESH_MS = 60_000;
/** How long it is believed while nobody answers: whoever changes department keeps no right for longer than that. */
const REMEMBERED_MS = 3_600_000;
const AGAIN_MS = 10_000;
/** A screen waits no longer than that for an answer. */
const LIMIT_MS = 1000;
/** So many members are remembered. */
const MOST = 10_000;

/**
 * Makes what knows the departments of members: asked of the channel, at most one question at a time for each, and waited
 * for 1 s at most. What comes later counts from then on; until then the last answer does, for an hour.
 */
export function createDepartments<Q>(parts: DepartmentsParts<Q>) {
  const { keyOf, ask, now, onError, wait = (ms) => sleep(ms, undefined, { ref: false }) } = parts;
  const known = new Map<string, Known>();
  const isWithin = (at: number, ms: number): boolean => Math.abs(now() - at) < ms;

  const begin = (key: string, member: Q): Known => {
    const before = known.get(key);
    known.delete(key);
    if (known.size >= MOST) known.delete(known.keys().next().value as string);
    const askedAt = now();
    const asked = ask(member)
      .then((departments) => {
        begun.answer = { departments, at: askedAt };
      })
      .catch((error: unknown) => onError(error, member))
      .finally(() => {
        begun.isAsking = false;
      });
    const begun: Known = { askedAt, asked, isAsking: true, answer: before?.answer };
    known.set(key, begun);
    return begun;
  };
  return {
    /** Undefined when nobody says. */
    async of(member: Q): Promise<readonly number[] | undefined> {
      const key = keyOf(member);
      const seen = known.get(key);
      if (seen?.answer !== undefined && isWithin(seen.answer.at, FRESH_MS)) return seen.answer.departments;
      const isAsked = seen !== undefined && (seen.isAsking || isWithin(seen.askedAt, AGAIN_MS));
      const asking = isAsked ? seen : begin(key, member);
      if (asking.isAsking) {
        await Promise.race([asking.asked, wait(Math.max(0, asking.askedAt + LIMIT_MS - now()))]);
      }
      const { answer } = asking;
      return answer !== undefined && isWithin(answer.at, REMEMBERED_MS) ? answer.departments : undefined;
    },
  };
}
