import type { ZodType } from 'zod';
import type { Incoming } from '../channels/channel.ts';
import { type Context, type Outcome, type SessionStore, Unavailable } from '../chat/index.ts';
import type { Answer } from '../contract/answer.ts';
import { isPlatform, platform } from '../contract/platform.ts';
import { mayHaveArrived } from '../errors.ts';
import type { Confirmations } from './confirmations.ts';
import { covers, type Identity, type Rights } from './identity.ts';
import { type Caller, type OpsClient, OpsDown, unavailable } from './ops-client.ts';
import { sentences } from './sentences.ts';

interface ContextParts {
  readonly client: OpsClient;
  readonly identity: Identity;
  /** The form of what a read answers, where it is known. */
  outputOf(name: string): ZodType | undefined;
  readonly confirmations: Pick<Confirmations, 'begin' | 'answered' | 'lost'>;
  readonly store: Pick<SessionStore, 'markConfirmed'>;
  now(): number;
}

/**
 * Makes what opens the context of one turn: everything the menu may ask of the platform, refusals turned into sentences.
 * One opened in vain throws `Unavailable`, when nobody says what the user may do.
 */
export function createContexts(parts: ContextParts) {
  const { identity, now } = parts;
  return async (incoming: Incoming): Promise<Context> => {
    const caller = await identity.callerOf(incoming);
    const rights = await identity.rightsOf(caller);
    return {
      user: caller.user,
      now: now(),
      replyBytes: incoming.channel.replyBytes,
      ...asking(parts, caller, rights),
      run: confirming(parts, caller, incoming),
    };
  };
}

function asking(
  { client, outputOf }: ContextParts,
  caller: Caller,
  rights: Rights,
): Pick<Context, 'may' | 'ops' | 'preview'> {
  return {
    may: (operation, { unit }) => covers(rights, operation, unit),
    ops: {
      async call(name, input) {
        // An entry may ask for any name, whatever the types say; what writes the platform's own records is the bot's.
        if (isPlatform(name) && platform[name].kind !== 'read')
          throw new Error(`no entry may ask for ${name}`);
        return (await client.read(caller, name, input, outputOf(name)).catch(unavailable)) as never;
      },
    },
    async preview(operation, input) {
      const answered = await client.post(caller, `${operation}/preview`, input).catch(unavailable);
      if (answered.state === 'preview') return answered.preview;
      throw new Unavailable('message' in answered ? answered.message : sentences.odd);
    },
  };
}

/**
 * Sends a confirmation. Before that it is noted, and the message that carried it is marked: when this process dies, the
 * user hears what became of it, and a repeat of the message says so.
 */
function confirming(
  { client, confirmations, store }: ContextParts,
  caller: Caller,
  incoming: Incoming,
): Context['run'] {
  return async (operation, input, { id, hash }, code) => {
    const confirmation = { id, user: caller.user, trace: caller.trace };
    const mark = (marked: boolean) => store.markConfirmed(incoming, marked ? id : null);
    // One after the other, since on a cluster they are on two nodes: what is marked has certainly been noted.
    const begin = async (): Promise<boolean> => {
      await confirmations.begin(confirmation);
      return mark(true);
    };
    const isMine = await begin().catch(() => {
      throw new Unavailable(sentences.notNoted);
    });
    if (!isMine) {
      await confirmations.answered(confirmation);
      throw new Unavailable(sentences.notNoted);
    }
    try {
      const body = { input, preview: { id, hash }, ...(code === undefined ? {} : { code }) };
      const answered = await client.post(caller, operation, body);
      if (answered.state === 'error') {
        await confirmations.lost(confirmation);
        return { text: answered.message };
      }
      const nothingFollows = answered.state === 'refused' ? mark(false).catch(() => {}) : undefined;
      await Promise.all([nothingFollows, confirmations.answered(confirmation)]);
      return outcomeOf(answered, id);
    } catch (error) {
      if (!(error instanceof OpsDown)) throw error;
      if (!mayHaveArrived(error)) {
        await Promise.all([mark(false).catch(() => {}), confirmations.answered(confirmation)]);
        throw new Unavailable(sentences.platformDown);
      }
      await confirmations.lost(confirmation);
      return { text: sentences.outcomeOpen };
    }
  };
}

function outcomeOf(answered: Exclude<Answer, { state: 'error' }>, id: string): Outcome {
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
