import { PLACE_LENGTH, REFUSALS_AT_ONCE, type Refusal, type Report } from '../contract/report.ts';
import { InputError } from '../errors.ts';
import { createLoop } from '../server/loop.ts';

interface ReportsParts {
  /**
   * Resolves when the platform has written the report down; rejects when it has not, or may not have, with an InputError
   * when it never will.
   */
  send(report: Report): Promise<void>;
  onError(error: unknown): void;
  /** How often refusals are sent; a minute. */
  readonly everyMs?: number;
}

/** The refusals of one user that are told apart in one report; whoever knocks at more doors is counted once more. */
const APART = 5;
const PROBLEMS = 20;
const PROBLEM_LENGTH = 1000;

/** Tells the platform what the bot decided or found alone. */
export type Reports = ReturnType<typeof startReports>;

/**
 * Starts what tells the platform what the bot decided or found alone, so that it stands in the audit. Whatever a user
 * types, a report has a bounded number of rows: equal refusals are one row with a count, a user has ten rows at most, and
 * beyond a hundred rows all are counted together. What could not be handed over is part of the next report, unless the
 * platform cannot read it: that is given up, and holds up nothing else.
 */
export function startReports({ send, onError, everyMs = 60_000 }: ReportsParts) {
  let rows = new Map<string, Refusal>();
  const found = new Map<string, readonly string[]>();

  const add = ({ count, ...refusal }: Refusal): void => {
    const own = [...rows.values()].filter(({ user }) => user === refusal.user).length;
    const isNew = !rows.has(keyOf(refusal));
    const apart = isNew && refusal.user !== undefined && own >= APART ? { ...refusal, at: '' } : refusal;
    const isFull = !rows.has(keyOf(apart)) && rows.size >= REFUSALS_AT_ONCE - KINDS;
    const { user: _, ...others } = { ...apart, at: '' };
    const row = isFull ? others : apart;
    rows.set(keyOf(row), { ...row, count: (rows.get(keyOf(row))?.count ?? 0) + count });
  };
  /** Sends one report, about one source at most: its admins' notice is the same, whatever else is found. */
  const flush = async (): Promise<boolean> => {
    const [first] = found;
    if (rows.size === 0 && first === undefined) return false;
    const [source, problems] = first ?? ['', []];
    const refusals = [...rows.values()];
    rows = new Map();
    found.delete(source);
    try {
      await send({ refusals, problems: [...problems] });
    } catch (error) {
      if (error instanceof InputError) throw error;
      for (const refusal of refusals) add(refusal);
      if (problems.length > 0 && !found.has(source)) found.set(source, problems);
      throw error;
    }
    return found.size > 0;
  };
  const loop = createLoop({ restMs: everyMs, work: flush, onError });
  loop.start();
  return {
    refused: ({ at, ...refusal }: Omit<Refusal, 'count'>): void =>
      add({ ...refusal, at: at.slice(0, PLACE_LENGTH), count: 1 }),
    /** What was not loaded again from `source`, a file or a folder; sent at once, of each source the last list only. */
    problems(source: string, problems: readonly string[]): void {
      const list = problems.slice(0, PROBLEMS).map((problem) => problem.slice(0, PROBLEM_LENGTH));
      found.set(source, list);
      loop.wake();
    },
    /** Sends what is left, once, and no more after that. */
    async stop(): Promise<void> {
      await loop.stop();
      try {
        while (await flush());
      } catch (error) {
        onError(error);
      }
    },
  };
}

/** Rows that are kept free for those without a user: one of each kind. */
const KINDS = 5;

function keyOf({ user = '', kind, at }: Omit<Refusal, 'count'>): string {
  return `${user}\n${kind}\n${at}`;
}
