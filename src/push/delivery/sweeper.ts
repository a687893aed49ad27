import type { Database } from '../database.ts';
import { headsOf, leftBehind, linesAfter } from './head-store.ts';
import type { Scheduler } from './scheduler.ts';

/** What sweeping needs. */
export interface SweeperParts {
  readonly db: Database;
  readonly scheduler: Pick<Scheduler, 'add'>;
  readonly now: () => number;
}

/** Hands over again what Redis may have lost. */
export interface Sweeper {
  /** Those whose sender was killed, and a page of lines, going on where the last one ended. */
  sweep(): Promise<void>;
  /** Every line. */
  sweepAll(): Promise<void>;
}

const PAGE = 1000;

/** Makes a sweeper; any number may work at the same time, since a job that is there is not added twice. */
export function createSweeper({ db, scheduler, now }: SweeperParts): Sweeper {
  let cursor = '';

  /** Resolves to where the next page begins; empty after the last. */
  const sweepPage = async (after: string): Promise<string> => {
    const lines = await linesAfter(db, after, PAGE);
    await scheduler.add(await headsOf(db, lines));
    return lines.length < PAGE ? '' : (lines.at(-1) ?? '');
  };
  const sweepLeft = async (): Promise<void> => {
    await scheduler.add(await leftBehind(db, now(), PAGE));
  };
  return {
    async sweep() {
      await sweepLeft();
      cursor = await sweepPage(cursor);
    },
    async sweepAll() {
      await sweepLeft();
      let after = '';
      do after = await sweepPage(after);
      while (after !== '');
    },
  };
}
