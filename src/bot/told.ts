import { createHash } from 'node:crypto';
import type { Incoming } from '../chat/index.ts';
import { type Answered, outcomeId } from './outcomes.ts';

/** What the platform answered while a message was answered. Whoever reads it in the reply is not told again. */
export interface Told {
  add(incoming: Incoming, answered: Answered): void;
  /**
   * Under which id this text is told when it comes after the reply: that of the outcome in it, so that nobody else tells
   * that as well. Any other text has an id of its own: another replica may say that the answer got lost before it comes
   * after all, and both are told, neither twice.
   */
  idOf(incoming: Incoming, text: string): string;
  /** The user has got this text, and with it every answer whose words stand in it. */
  confirm(incoming: Incoming, text: string): Promise<void>;
}

/** Makes an empty one; `report` hears what was read. */
export function createTold(report: (answers: readonly Answered[]) => Promise<void>): Told {
  const answersTo = new WeakMap<Incoming, readonly Answered[]>();
  const answersIn = (incoming: Incoming, text: string): readonly Answered[] =>
    (answersTo.get(incoming) ?? []).filter((answered) => text.includes(answered.text));
  return {
    add: (incoming, answered) => void answersTo.set(incoming, [...(answersTo.get(incoming) ?? []), answered]),
    idOf(incoming, text) {
      const outcome = answersIn(incoming, text).find(({ isOutcome }) => isOutcome);
      if (outcome !== undefined) return outcomeId(outcome.confirmation.id);
      return `late-${createHash('sha256').update(`${incoming.msgId}\n${text}`).digest('hex')}`;
    },
    confirm: (incoming, text) => report(answersIn(incoming, text)),
  };
}
