import { BOT_SUBJECT } from '../contract/platform.ts';
import type { Caller, PlatformClient } from './platform-client.ts';

/** Tells users how their operations ended when the reply could not: late, lost, or found out after a crash. */
export interface Outcomes {
  /** The user has read these outcomes in a reply. */
  told(ids: readonly string[]): Promise<void>;
  /** Finds out what became of an operation whose answer got lost; one that never began is closed and the user told. */
  settle(caller: Caller, id: string): Promise<void>;
  /** Stops asking and waits for what is being told. */
  stop(): Promise<void>;
}

export interface OutcomesParts {
  readonly client: PlatformClient;
  deliver(user: string, text: string): Promise<void>;
  sleep(milliseconds: number): Promise<void>;
  newId(): string;
  onError(error: unknown): void;
}

const ASK_MS = 1000;
const SETTLE_MS = 2000;
/** Ten minutes: long enough for a platform to come back, and no longer than the session that asked. */
const SETTLE_TRIES = 300;

/**
 * Asks the platform every second for outcomes that nobody has been told, and sends them. The platform lends each to one
 * replica for 30 s and keeps it until it is told, so neither a crash here nor one there swallows it.
 */
export function startOutcomes(parts: OutcomesParts): Outcomes {
  const bot = (): Caller => ({ user: BOT_SUBJECT, departments: [], trace: parts.newId() });
  const told = async (ids: readonly string[]): Promise<void> => {
    if (ids.length > 0) await parts.client.read(bot(), 'outcomes.told', { ids: [...ids] });
  };
  let stopped = false;
  const tell = async (): Promise<void> => {
    const claimed = await parts.client.read(bot(), 'outcomes.claim', {});
    if ('refused' in claimed) throw new Error(`the platform refused to say what is done: ${claimed.refused}`);
    for (const { id, user, text } of claimed.output) {
      await parts.deliver(user, text);
      await told([id]);
    }
  };
  const loop = (async () => {
    while (!stopped) {
      await tell().catch(parts.onError);
      await parts.sleep(ASK_MS);
    }
  })();
  return {
    told: (ids) => told(ids).catch(parts.onError),
    async settle(caller, id) {
      for (let tries = 0; tries < SETTLE_TRIES && !stopped; tries += 1) {
        const settled = await parts.client.read(caller, 'operation.settle', { id }).catch(parts.onError);
        if (settled !== undefined && 'output' in settled) {
          // Any other state is told by the loop above, once it is final.
          if (settled.output.state === 'never') await parts.deliver(caller.user, settled.output.text);
          return;
        }
        await parts.sleep(SETTLE_MS);
      }
    },
    async stop() {
      stopped = true;
      await loop;
    },
  };
}
