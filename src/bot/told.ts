import type { Incoming } from '../chat/index.ts';

/** Which operations ended while a message was answered. Whoever reads the end of one in the reply is not told again. */
export interface Told {
  /** An operation ended in these words. */
  add(incoming: Incoming, id: string, outcome: string): void;
  /** The user has got this text: the platform hears of every outcome that stands in it. */
  confirm(incoming: Incoming, text: string): Promise<void>;
}

export function createTold(report: (ids: readonly string[]) => Promise<void>): Told {
  const endings = new WeakMap<Incoming, readonly (readonly [id: string, outcome: string])[]>();
  return {
    add: (incoming, id, outcome) =>
      void endings.set(incoming, [...(endings.get(incoming) ?? []), [id, outcome]]),
    async confirm(incoming, text) {
      const read = (endings.get(incoming) ?? []).filter(([, outcome]) => text.includes(outcome));
      await report(read.map(([id]) => id));
    },
  };
}
