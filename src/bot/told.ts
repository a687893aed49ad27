import type { Incoming } from '../chat/index.ts';
import type { Answered } from './outcomes.ts';

/** What the platform answered while a message was answered. Whoever reads it in the reply is not told again. */
export interface Told {
  add(incoming: Incoming, answered: Answered): void;
  /** The user has got this text, and with it every answer whose words stand in it. */
  confirm(incoming: Incoming, text: string): Promise<void>;
}

/** Makes an empty one; `report` hears what was read. */
export function createTold(report: (answers: readonly Answered[]) => Promise<void>): Told {
  const answersTo = new WeakMap<Incoming, readonly Answered[]>();
  return {
    add: (incoming, answered) => void answersTo.set(incoming, [...(answersTo.get(incoming) ?? []), answered]),
    async confirm(incoming, text) {
      const answers = answersTo.get(incoming) ?? [];
      await report(answers.filter((answered) => text.includes(answered.text)));
    },
  };
}
