import { BOT_SUBJECT } from '../contract/platform.ts';
import { isAway } from './notifier.ts';
import type { Confirmation, OpenConfirmations } from './open-confirmations.ts';
import type { Caller, OpsClient } from './ops-client.ts';

/** Tells users how their operations ended when the reply could not: late, lost, or found out after a crash. */
export interface Outcomes {
  /** Before the platform is asked to run what was confirmed. Throws when it cannot be noted; then it must not be asked. */
  begin(confirmation: Confirmation): Promise<void>;
  /** The platform has answered: what is left to tell is in the reply, or with the platform. */
  answered(confirmation: Confirmation): Promise<void>;
  /** The user has read in a reply how these operations ended. */
  received(ids: readonly string[]): Promise<void>;
  /** The platform's answer got lost: what became of it is found out, and the user told. */
  lost(confirmation: Confirmation): Promise<void>;
  /** Stops asking and waits for what is being told. */
  stop(): Promise<void>;
}

export interface OutcomesParts {
  readonly client: OpsClient;
  readonly open: OpenConfirmations;
  /** Tells somebody something, once for each id, however often it is asked to. */
  tell(user: string, text: string, id: string): Promise<void>;
  sleep(milliseconds: number): Promise<void>;
  /** Unix milliseconds. */
  now(): number;
  newId(): string;
  onError(error: unknown): void;
}

/** Under which id an outcome is told, whoever tells it. */
export function outcomeId(id: string): string {
  return `outcome-${id}`;
}

interface Lent {
  readonly id: string;
  readonly user: string;
  readonly text: string;
  /** Unix ms; from then on the platform lends it to somebody else. */
  readonly until: number;
}

const ASK_MS = 1000;
/** Longer than a call of the platform and the reply that tells of it may take. */
const OVERDUE_MS = 15_000;
const SETTLE_AGAIN_MS = 2000;
const LENT_MS = 30_000;

/**
 * Asks the platform every second for outcomes that nobody has been told, and sends them. The platform lends each to one
 * replica for 30 s and keeps it until it is told, so neither a crash here nor one there swallows it. What the platform
 * may never have heard of is noted on this side until the user knows.
 */
export function startOutcomes(parts: OutcomesParts): Outcomes {
  const { client, open, onError } = parts;
  const bot = (): Caller => ({ user: BOT_SUBJECT, departments: [], trace: parts.newId() });
  const told = async (ids: readonly string[]): Promise<void> => {
    if (ids.length > 0) await client.read(bot(), 'outcomes.told', { ids: [...ids] });
  };

  /** Lent to us and not told, since message delivery is away: told as soon as it is back, while the loan lasts. */
  let waiting: readonly Lent[] = [];
  const tellAll = async (lent: readonly Lent[]): Promise<void> => {
    for (const [at, { id, user, text }] of lent.entries()) {
      // The id makes a repeat harmless: when an answer got lost, or the loan ran out, it is told again and said once.
      const problem = await parts.tell(user, text, outcomeId(id)).then(
        () => null,
        (error: unknown) => ({ error }),
      );
      if (problem === null) {
        await told([id]).catch(onError);
        continue;
      }
      onError(problem.error);
      // One who cannot be told must not keep the others waiting; who is away is away for all of them.
      if (!isAway(problem.error)) continue;
      waiting = [...waiting, ...lent.slice(at)];
      return;
    }
  };
  const tell = async (): Promise<void> => {
    const now = parts.now();
    const lent = waiting.filter(({ until }) => until > now);
    waiting = [];
    await tellAll(lent);
    const claimed = await client.read(bot(), 'outcomes.claim', {});
    if ('refused' in claimed) throw new Error(`the platform refused to say what is done: ${claimed.refused}`);
    await tellAll(claimed.output.map((outcome) => ({ ...outcome, until: parts.now() + LENT_MS })));
  };

  /** Finds out what became of a confirmation; one that never began is closed, so that it never will. */
  const settle = async (confirmation: Confirmation): Promise<void> => {
    const { id, user } = confirmation;
    const settled = await client
      .read({ ...confirmation, departments: [] }, 'operation.settle', { id })
      .catch(async (error: unknown) => {
        await open.note(confirmation, parts.now() + SETTLE_AGAIN_MS);
        throw error;
      });
    if ('refused' in settled)
      throw new Error(`the platform refused to say what became of ${id}: ${settled.refused}`);
    // Any other state is among the outcomes, once it is final.
    if (settled.output.state === 'never') await parts.tell(user, settled.output.text, `never-${id}`);
    await open.close([confirmation]);
  };
  const settleOverdue = async (): Promise<void> => {
    const now = parts.now();
    for (const confirmation of await open.takeOverdue(now, now + LENT_MS)) {
      await settle(confirmation).catch(onError);
    }
  };

  let stopped = false;
  const loop = (async () => {
    while (!stopped) {
      await tell().catch(onError);
      await settleOverdue().catch(onError);
      await parts.sleep(ASK_MS);
    }
  })();
  return {
    begin: (confirmation) => open.note(confirmation, parts.now() + OVERDUE_MS),
    // When this cannot be written, the platform is asked what became of it, and says so.
    answered: (confirmation) => open.close([confirmation]).catch(onError),
    received: (ids) => told(ids).catch(onError),
    // When this cannot be noted, it is overdue a little later all the same.
    lost: (confirmation) => open.note(confirmation, parts.now()).catch(onError),
    async stop() {
      stopped = true;
      await loop;
    },
  };
}
