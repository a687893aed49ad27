import { setTimeout as sleep } from 'node:timers/promises';
import type { LaneOfAccount } from './claim-store.ts';

/** The calls of a process that are under way, by account and lane. */
export type Calls = ReturnType<typeof createCalls>;

/** How long calls may take when the process ends; a call of WeCom takes 5 s at most. */
const CLOSE_MS = 12_000;

/** Keeps count of calls, of which so many may be under way at the same time for one account in one lane. */
export function createCalls(concurrency: number) {
  const underWay = new Map<string, { calling: number; readonly open: Set<Promise<void>> }>();
  const keyOf = ({ account, lane }: LaneOfAccount): string => `${lane} ${account}`;

  return {
    /** For how many more there is room. */
    room(from: LaneOfAccount): number {
      const { calling = 0, open } = underWay.get(keyOf(from)) ?? {};
      // Results may wait for the database while others are called, but no more than there can be calls.
      return Math.min(concurrency - calling, 2 * concurrency - (open?.size ?? 0));
    },
    isCalling: (from: LaneOfAccount): boolean => (underWay.get(keyOf(from))?.calling ?? 0) > 0,
    /** Begins one. `send` says when it does not call any more, and resolves when that is recorded; `onRoom` hears of both. */
    begin(from: LaneOfAccount, send: (onCalled: () => void) => Promise<void>, onRoom: () => void): void {
      const key = keyOf(from);
      const work = underWay.get(key) ?? { calling: 0, open: new Set() };
      underWay.set(key, work);
      work.calling += 1;
      let isCalling = true;
      const onCalled = (): void => {
        if (isCalling) work.calling -= 1;
        isCalling = false;
        onRoom();
      };
      const sent: Promise<void> = send(onCalled).finally(() => {
        work.open.delete(sent);
        onCalled();
      });
      work.open.add(sent);
    },
    /** Waits for those that are under way, but not for ever. */
    async settle(): Promise<void> {
      const all = Promise.all([...underWay.values()].flatMap(({ open }) => [...open]));
      await Promise.race([all, sleep(CLOSE_MS, undefined, { ref: false })]);
    },
  };
}
