import { setTimeout as sleep } from 'node:timers/promises';
import type { Incoming } from '../channels/channel.ts';
import { Unavailable } from '../chat/index.ts';
import { createLoop } from '../server/loop.ts';
import { principalOf } from './identity.ts';
import type { Confirmation, OpenConfirmations } from './open-confirmations.ts';
import { type Caller, type OpsClient, OpsDown } from './ops-client.ts';

/** Confirmations whose outcome their user has yet to hear. */
export type Confirmations = ReturnType<typeof startConfirmations>;

interface ConfirmationsParts {
  readonly client: OpsClient;
  readonly open: OpenConfirmations;
  /** Tells somebody something, once for each id, however often it is asked to. */
  tell(user: string, text: string, id: string): Promise<void>;
  /** Unix milliseconds. */
  now(): number;
  onError(error: unknown): void;
}

/** Longer than a call of the platform and the reply that tells of it may take. */
const OVERDUE_MS = 15_000;
/** How often it is looked for what is overdue, also of a replica that died. */
const LOOK_EVERY_MS = 2000;
const SETTLE_AGAIN_MS = 2000;
const TAKEN_MS = 30_000;
/** A receipt that does not arrive before the platform's grace of 10 s is over comes too late. */
const RECEIPT_TRIES = 4;
const RECEIPT_AGAIN_MS = 2000;

/**
 * Sees to it that whoever confirmed something hears what became of it, also when an answer got lost or a process died.
 * The platform tells outcomes; what it may never have heard of is noted on this side until that is known. Redis is asked
 * every 2 s which confirmations are overdue, and at once when an answer got lost.
 */
export function startConfirmations({ client, open, tell, now, onError }: ConfirmationsParts) {
  /** Finds out what became of a confirmation; one that never began is closed, so that it never will. */
  const settle = async (confirmation: Confirmation): Promise<void> => {
    const { id, user } = confirmation;
    const settled = await client
      .ask({ ...confirmation, departments: [] }, 'operation.settle', { id })
      .catch(async (error: unknown) => {
        if (!(error instanceof Unavailable)) await open.note(confirmation, now() + SETTLE_AGAIN_MS);
        throw error;
      });
    // Any other state is told by the platform, once it is final.
    if (settled.state === 'never') await tell(user, settled.text, `never-${id}`);
    await open.close(confirmation);
  };
  const settleOverdue = async (): Promise<void> => {
    for (const confirmation of await open.takeOverdue(now(), now() + TAKEN_MS)) {
      await settle(confirmation).catch(onError);
    }
  };
  const loop = createLoop({ restMs: LOOK_EVERY_MS, work: settleOverdue, onError });
  loop.start();

  const receipts = new Set<Promise<void>>();
  const stopping = new AbortController();
  const acknowledge = async (
    reader: Pick<Caller, 'user' | 'trace'>,
    ids: readonly string[],
  ): Promise<void> => {
    for (let tries = 1; ; tries += 1) {
      try {
        const caller = { ...reader, departments: [] };
        return void (await client.ask(caller, 'operation.received', { ids: [...ids] }));
      } catch (error) {
        const isOver = tries >= RECEIPT_TRIES || stopping.signal.aborted;
        if (isOver || !(error instanceof OpsDown)) throw error;
        await sleep(RECEIPT_AGAIN_MS, undefined, { ref: false, signal: stopping.signal }).catch(() => {});
      }
    }
  };
  return {
    /** Before the platform is asked to run what was confirmed. Throws when it cannot be noted; then it must not be asked. */
    async begin(confirmation: Confirmation): Promise<void> {
      await open.note(confirmation, now() + OVERDUE_MS);
    },
    /**
     * The platform has answered: what is left to tell is in the reply, or with the platform. When this cannot be written,
     * the platform is asked what became of it, and says so.
     */
    async answered(confirmation: Confirmation): Promise<void> {
      await open.close(confirmation).catch(onError);
    },
    /**
     * The platform's answer got lost: what became of it is found out, and the user told. When this cannot be noted, it is
     * overdue a little later all the same.
     */
    async lost(confirmation: Confirmation): Promise<void> {
      await open.note(confirmation, now()).catch(onError);
      loop.wake();
    },
    /** The user has read in a reply how these operations ended, so that the platform need not tell it. */
    received(incoming: Pick<Incoming, 'channel' | 'user' | 'trace'>, ids: readonly string[]): void {
      if (ids.length === 0) return;
      const reader = { user: principalOf(incoming), trace: incoming.trace };
      const receipt = acknowledge(reader, ids).catch(onError);
      receipts.add(receipt);
      void receipt.then(() => receipts.delete(receipt));
    },
    /** Stops asking and waits for what is being asked or told. */
    async stop(): Promise<void> {
      stopping.abort();
      await Promise.all([loop.stop(), ...receipts]);
    },
  };
}
