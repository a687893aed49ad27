import type { Incoming } from '../channels/channel.ts';
import { type Context, type Outcome, Unavailable } from '../chat/index.ts';
import type { Answer } from '../contract/answer.ts';
import type { Identity } from './identity.ts';
import type { Confirmation } from './open-confirmations.ts';
import { type Caller, type OpsClient, OpsDown } from './ops-client.ts';
import type { Outcomes } from './outcomes.ts';
import { covers, type Rights } from './rights.ts';
import { sentences } from './sentences.ts';

/** Makes the context of one turn: everything the menu may ask of the platform, refusals turned into sentences. */
export type OpenContext = (incoming: Incoming) => Promise<Context>;

export interface ContextParts {
  readonly client: OpsClient;
  readonly identity: Identity;
  readonly outcomes: Pick<Outcomes, 'begin' | 'answered' | 'lost'>;
  now(): number;
}

/** Makes the contexts; one opened in vain throws `Unavailable`, when nobody says what the user may do. */
export function createContexts({ client, identity, outcomes, now }: ContextParts): OpenContext {
  return async (incoming) => {
    const caller = await identity.callerOf(incoming);
    const rights = await identity.rightsOf(caller);
    return {
      user: caller.user,
      now: now(),
      replyBytes: incoming.channel.replyBytes,
      ...asking(client, caller, rights),
      run: confirming(client, caller, outcomes),
    };
  };
}

function asking(client: OpsClient, caller: Caller, rights: Rights): Pick<Context, 'may' | 'ops' | 'preview'> {
  return {
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
  };
}

/** Sends a confirmation. It is noted first, so that its user hears what became of it even when this process dies. */
function confirming(client: OpsClient, caller: Caller, outcomes: ContextParts['outcomes']): Context['run'] {
  return async (operation, input, { id, hash }, code) => {
    const confirmation: Confirmation = { id, user: caller.user, trace: caller.trace };
    await outcomes.begin(confirmation).catch(() => {
      throw new Unavailable(sentences.notNoted);
    });
    try {
      const body = { input, preview: { id, hash }, ...(code === undefined ? {} : { code }) };
      const answered = await client.post(caller, operation, body);
      await outcomes.answered(confirmation);
      return outcomeOf(answered, id);
    } catch (error) {
      if (!(error instanceof OpsDown)) throw error;
      if (!error.mayHaveRun) {
        await outcomes.answered(confirmation);
        throw new Unavailable(sentences.platformDown);
      }
      await outcomes.lost(confirmation);
      return { text: sentences.outcomeOpen };
    }
  };
}

function outcomeOf(answered: Answer, id: string): Outcome {
  switch (answered.state) {
    case 'done':
      return { text: answered.text ?? '', receipts: [id] };
    case 'accepted':
      return { text: answered.text };
    case 'refused':
      return { text: answered.message, fresh: answered.preview };
    case 'failed':
    case 'unknown':
      return { text: answered.message, receipts: [id] };
    case 'preview':
      return { text: sentences.odd };
  }
}

function unavailable(error: unknown): never {
  throw error instanceof OpsDown ? new Unavailable(sentences.platformDown) : error;
}
