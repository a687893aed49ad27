import type { Database } from '../database/database.ts';
import { headsOf, leftBehind, linesAfter } from './head-store.ts';
import type { Scheduler } from './scheduler.ts';
import { wakeDeliveries } from './wake-store.ts';

/** What sweeping needs. */
export interface SweeperParts {
  readonly db: Database;
  readonly scheduler: Pick<Scheduler, 'add' | 'schedule'>;
  readonly now: () => number;
}

/** Hands over what nobody else does: deliveries whose time has come, and again what Redis may have lost. */
export interface Sweeper {
  /** Those whose time has come, those whose sender was killed, and a page of lines, going on where the last one ended. */
  sweep(): Promise<void>;
  /** Every line. */
  sweepAll(): Promise<void>;
}

const PAGE = 1000;

/** Makes a sweeper; any number may work at the same time, since a job that is there is not added twice. */
export function createSweeper({ db, scheduler, now }: SweeperParts): Sweeper {
  let cursor = '';

  /** Resolves to where the next page begins; empty after the last. */
  const sweepPage = async (after: string, calls?: Set<string>): Promise<string> => {
    const lines = await linesAfter(db, after, PAGE);
    await scheduler.add(await headsOf(db, lines), calls);
    return lines.length < PAGE ? '' : (lines.at(-1) ?? '');
  };
  const wake = async (): Promise<void> => {
    let lines: readonly string[];
    do {
      lines = await wakeDeliveries(db, now(), PAGE);
      await scheduler.schedule(lines);
    } while (lines.length === PAGE);
  };
  const sweepLeft = async (): Promise<void> => {
    await scheduler.add(await leftBehind(db, now(), PAGE));
  };
  return {
    async sweep() {
      await wake();
      await sweepLeft();
      cursor = await sweepPage(cursor);
    },
    async sweepAll() {
      await wake();
      await sweepLeft();
      const calls = new Set<string>();
      let after = '';
      do after = await sweepPage(after, calls);
      while (after !== '');
    },
  };
}
