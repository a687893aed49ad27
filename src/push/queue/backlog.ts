import { lanes } from '../content/message.ts';
import type { Waiting } from './depth-store.ts';

/** What is due in a lane for an account; what goes through robots belongs to none, and stands under an empty name. */
export type Depth = Omit<Waiting, 'waiting'>;

export interface BacklogParts {
  /** Counts all that waits. */
  readonly count: () => Promise<readonly Waiting[]>;
  /** Unix ms. */
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

/** Counting reads no more than so many deliveries in a ms, on the average: with a million waiting, once in 20 s. */
const PER_MS = 50;
/** Nobody waits for a new count of more than so many: they get the one before it. */
const MANY = 200_000;

/** Makes what counts the backlog for one process; the more there is the less often it is counted. */
export function createBacklog({ count, now, onError }: BacklogParts) {
  let last: { readonly at: number; readonly total: number; readonly counts: readonly Waiting[] } | undefined;
  let counting: Promise<readonly Waiting[]> | undefined;

  const countAnew = async (): Promise<readonly Waiting[]> => {
    try {
      const counts = await count();
      last = { at: now(), total: counts.reduce((sum, { waiting }) => sum + waiting, 0), counts };
      return counts;
    } finally {
      counting = undefined;
    }
  };
  const read = async (): Promise<readonly Waiting[]> => {
    if (last !== undefined && now() - last.at < Math.floor(last.total / PER_MS)) return last.counts;
    const before = last !== undefined && last.total > MANY ? last.counts : undefined;
    if (counting === undefined) {
      counting = countAnew();
      if (before !== undefined) counting.catch(onError);
    }
    return before ?? counting;
  };

  return {
    /** What is due, by lane and account; each lane is there, with an empty name if nothing waits in it. */
    async due(): Promise<readonly Depth[]> {
      const counts = await read();
      return lanes.flatMap((lane) => {
        const ours = counts.filter((each) => each.lane === lane);
        const accounts = Map.groupBy(ours, ({ account }) => account);
        return [...accounts.set('', accounts.get('') ?? [])].map(([account, some]) => ({
          lane,
          account,
          queued: some.reduce((sum, { queued }) => sum + queued, 0),
          oldestMs: Math.max(0, ...some.map(({ oldestMs }) => oldestMs)),
        }));
      });
    },
    /** How many deliveries have not ended, by account; what goes through robots belongs to none. */
    async byAccount(): Promise<ReadonlyMap<string, number>> {
      const byAccount = new Map<string, number>();
      for (const { account, waiting } of await read()) {
        if (account !== '') byAccount.set(account, (byAccount.get(account) ?? 0) + waiting);
      }
      return byAccount;
    },
  };
}
