import { type Context, type Outcome, Unavailable } from '../chat/index.ts';
import type { Answer } from '../contract/answer.ts';
import { type Caller, type OpsClient, OpsDown } from './ops-client.ts';
import type { Answered } from './outcomes.ts';
import { covers, type Rights } from './rights.ts';
import { sentences } from './sentences.ts';

/** What one turn needs to reach the platform as one user. */
export interface ContextParts {
  readonly client: OpsClient;
  readonly caller: Caller;
  readonly rights: Rights;
  readonly now: number;
  /** Before a confirmation goes to the platform. Rejects when it cannot be noted; then it does not go. */
  onConfirm(id: string): Promise<void>;
  /** What became of a confirmation, in the words that go into the reply to this very message. */
  onAnswer(id: string, answered: Pick<Answered, 'text' | 'isOutcome'>): void;
  /** The answer of this operation got lost; someone must find out what became of it and tell the user. */
  onLost(id: string): Promise<void>;
}

/** Makes the context of one turn: everything the menu may ask of the platform, refusals turned into sentences. */
export function openContext(parts: ContextParts): Context {
  const { client, caller, rights } = parts;
  return {
    user: caller.user,
    now: parts.now,
    may: (operation, { unit }) => covers(rights, operation, unit),
    ops: {
      async call(name, input) {
        const answered = await client.read(caller, name, input as never).catch(unavailable);
        if ('refused' in answered) throw new Unavailable(answered.refused);
        return answered.output as never;
      },
    },
    async preview(operation, input) {
      const answered = await client.post(caller, `${operation}/preview`, input).catch(unavailable);
      if (answered.state === 'preview') return answered.preview;
      throw new Unavailable('message' in answered ? answered.message : sentences.odd);
    },
    async run(operation, input, { id, hash }, code) {
      await parts.onConfirm(id).catch(() => {
        throw new Unavailable(sentences.notNoted);
      });
      try {
        const body = { input, preview: { id, hash }, ...(code === undefined ? {} : { code }) };
        const answered = await client.post(caller, operation, body);
        const outcome = outcomeOf(answered);
        parts.onAnswer(id, { text: outcome.text, isOutcome: ENDS.has(answered.state) });
        return outcome;
      } catch (error) {
        if (!(error instanceof OpsDown)) throw error;
        if (!error.mayHaveRun) {
          parts.onAnswer(id, { text: sentences.platformDown, isOutcome: false });
          throw new Unavailable(sentences.platformDown);
        }
        await parts.onLost(id);
        return { text: sentences.outcomeOpen };
      }
    },
  };
}

/** The states in which an operation has come to its end. */
const ENDS: ReadonlySet<Answer['state']> = new Set(['done', 'failed', 'unknown']);

function outcomeOf(answered: Answer): Outcome {
  switch (answered.state) {
    case 'done':
      return { text: answered.text ?? '' };
    case 'accepted':
      return { text: answered.text };
    case 'refused':
      return { text: answered.message, fresh: answered.preview };
    case 'failed':
    case 'unknown':
      return { text: answered.message };
    case 'preview':
      return { text: sentences.odd };
  }
}

function unavailable(error: unknown): never {
  throw error instanceof OpsDown ? new Unavailable(sentences.platformDown) : error;
}
