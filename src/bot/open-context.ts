import { type Context, type Outcome, type Preview, Unavailable } from '../chat/index.ts';
import type { Answer } from '../contract/answer.ts';
import { type Caller, type PlatformClient, PlatformDown } from './platform-client.ts';
import { covers, type Rights } from './rights.ts';
import { sentences } from './sentences.ts';

/** What one turn needs to reach the platform as one user. */
export interface ContextParts {
  readonly client: PlatformClient;
  readonly caller: Caller;
  readonly rights: Rights;
  readonly now: number;
  /** An operation has ended, in these words; they go into the reply to this very message. */
  onOutcome(id: string, text: string): void;
  /** The answer of this operation got lost; someone must find out what became of it and tell the user. */
  onLost(id: string): void;
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
    async run(operation, input, preview, code) {
      const { id, hash } = preview;
      try {
        const body = { input, preview: { id, hash }, ...(code === undefined ? {} : { code }) };
        return outcomeOf(await client.post(caller, operation, body), preview, parts);
      } catch (error) {
        if (!(error instanceof PlatformDown)) throw error;
        if (!error.mayHaveRun) throw new Unavailable(sentences.platformDown);
        parts.onLost(id);
        return { text: sentences.outcomeOpen };
      }
    },
  };
}

function outcomeOf(answered: Answer, { id }: Preview, parts: ContextParts): Outcome {
  switch (answered.state) {
    case 'done':
      parts.onOutcome(id, answered.text ?? '');
      return { text: answered.text ?? '' };
    case 'accepted':
      return { text: answered.text };
    case 'refused':
      return { text: answered.message, fresh: answered.preview };
    case 'failed':
    case 'unknown':
      parts.onOutcome(id, answered.message);
      return { text: answered.message };
    case 'preview':
      return { text: sentences.odd };
  }
}

function unavailable(error: unknown): never {
  throw error instanceof PlatformDown ? new Unavailable(sentences.platformDown) : error;
}
