import type { Incoming } from '../chat/index.ts';

/** Which operations' outcomes stand in the reply to a message, so that nobody is told twice. */
export interface Told {
  add(incoming: Incoming, id: string): void;
  /** The user has got the reply: the platform hears of every outcome in it. */
  confirm(incoming: Incoming): Promise<void>;
}

export function createTold(report: (ids: readonly string[]) => Promise<void>): Told {
  const idsIn = new WeakMap<Incoming, readonly string[]>();
  return {
    add: (incoming, id) => void idsIn.set(incoming, [...(idsIn.get(incoming) ?? []), id]),
    confirm: (incoming) => report(idsIn.get(incoming) ?? []),
  };
}
