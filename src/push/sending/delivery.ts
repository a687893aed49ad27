import { transact } from '../../server/database.ts';
import { createLoop } from '../../server/loop.ts';
import type { SendingAccount } from '../accounts/accounts.ts';
import type { NewMessage } from '../content/message.ts';
import type { Tx } from '../database/database.ts';
import { insertMessages } from '../queue/accept-store.ts';
import { countWaiting, createBacklog } from '../queue/backlog-store.ts';
import type { Group } from '../queue/claim.ts';
import { type ClaimerParts, createClaimer } from '../queue/claimer.ts';
import { createIntake } from '../queue/intake.ts';
import { createLeases, RENEW_MS } from '../queue/leases.ts';
import { readBlockedAccounts, writeBlock } from '../queue/limits-store.ts';
import { type Recalled, recall } from '../queue/recall.ts';
import { requeue } from '../queue/recall-store.ts';
import { createRecorder } from '../queue/recorder.ts';
import { createWaiters } from '../queue/waiters.ts';
import { waiting } from './outcome.ts';
import { createRepeats } from './repeats.ts';
import { createSender, type SenderParts } from './send.ts';

/** What delivery is made of. */
export interface DeliveryParts
  extends Omit<SenderParts, 'recorder' | 'leases' | 'repeats' | 'block' | keyof SendingAccount>,
    Omit<ClaimerParts, 'send'> {}

/** How often it is looked for what other replicas have finished, in ms: it is to be noticed within 250. */
const FINISHED_LOOK_MS = 240;

/** The delivery of messages: one queue, which stands in the database. */
export type Delivery = ReturnType<typeof createDelivery>;

/** Makes delivery out of its parts. */
export function createDelivery(parts: DeliveryParts) {
  const { db, now, newId, onError, accounts } = parts;
  const waiters = createWaiters(db, onError);
  const backlog = createBacklog({ count: () => countWaiting(db), now, onError });
  const recorder = createRecorder({ ...parts, onFinished: waiters.notify });
  const leases = createLeases(db, now);
  const repeats = createRepeats(db);
  const block = (what: string, ms: number) => transact(db, (tx) => writeBlock(tx, what, ms));
  const senders = new WeakMap<SendingAccount, ReturnType<typeof createSender>>();
  const send = async (group: Group, onCalled: () => void): Promise<void> => {
    const account = accounts.find(group.account);
    // Taken out of the configuration since it was claimed: it waits for the account.
    if (account === undefined) return recorder.record(group.members.map((member) => waiting(member, now())));
    const sender =
      senders.get(account) ?? createSender({ ...parts, ...account, recorder, leases, repeats, block });
    senders.set(account, sender);
    await sender(group, onCalled);
  };
  const claimer = createClaimer({ ...parts, send });
  const { wake } = claimer;
  const intake = createIntake({ db, now, newId, onCommitted: wake });
  const loops = [
    createLoop({ restMs: RENEW_MS, work: leases.renew, onError }),
    createLoop({ restMs: FINISHED_LOOK_MS, work: waiters.look, onError }),
  ];

  return {
    /** Writes a message down before it resolves. Throws an InputError when its idempotency key was used for another request. */
    accept: intake.accept,
    /** Writes messages down within a transaction of the caller's; `wake` follows after its commit. Resolves to ids. */
    async insert(tx: Tx, messages: readonly NewMessage[]): Promise<readonly string[]> {
      const inserted = await insertMessages(tx, messages.map(intake.draft));
      return inserted.map((one) => {
        if (one instanceof Error) throw one;
        return one.id;
      });
    },
    /** Something may be due. */
    wake,
    /** Resolves to true when every delivery of the message is final, to false after `ms`. */
    finished: waiters.finished,
    /** Takes a message of this app back; null when the app has none under this id. */
    async recall(app: string, messageId: string): Promise<Recalled | null> {
      const recalled = await recall({ ...parts, onFinished: waiters.notify }, app, messageId);
      wake();
      return recalled;
    },
    /** Queues the failed and dead deliveries of a message again; resolves to how many, null when the app has no such message. */
    async resend(app: string, messageId: string): Promise<number | null> {
      const queued = await requeue(db, app, messageId);
      wake();
      return queued;
    },
    /** What is due, by lane and account. */
    depth: backlog.due,
    /** How many deliveries have not ended, by account; what goes through robots belongs to none. */
    waitingByAccount: backlog.byAccount,
    /** The accounts for which WeCom takes nothing because of a limit, and until when (Unix ms). */
    blockedAccounts: () => readBlockedAccounts(db),
    /** Begins to send. Without it messages are only taken in, for another process to send. */
    start(): void {
      claimer.start();
      for (const loop of loops) loop.start();
    },
    /** Begins nothing more, and waits a bounded time for what is under way. */
    async close(): Promise<void> {
      await claimer.close();
      recorder.close();
      await Promise.all(loops.map((loop) => loop.stop()));
      waiters.close();
    },
  };
}
