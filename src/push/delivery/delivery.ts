import type { Queue } from 'bullmq';
import { createLoop } from '../../server/loop.ts';
import type { Redis } from '../../server/redis.ts';
import type { Database } from '../database/database.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import { accountOf, type SendingAccount, type SendingAccounts } from './accounts.ts';
import { claim, type Group } from './claim.ts';
import { type Depth, readDepth } from './depth-store.ts';
import { linesOfMessages } from './head-store.ts';
import { createIntake } from './intake.ts';
import { createLeases, RENEW_MS } from './leases.ts';
import { lineOf } from './lines.ts';
import type { MessageQueue } from './message-queue.ts';
import { type Draft, insertMessages, isLater } from './message-store.ts';
import { recall } from './recall.ts';
import { createResultRecorder } from './record-result.ts';
import { createRepeats } from './repeats.ts';
import { requeue } from './resend-store.ts';
import { createScheduler } from './scheduler.ts';
import { createSender, type SenderParts } from './send.ts';
import { createSweeper } from './sweeper.ts';
import { createWaiters } from './waiters.ts';
import { startWorkers, type Workers } from './workers.ts';

/** What delivery is made of; the clock in Unix ms. */
export interface DeliveryParts
  extends Omit<SenderParts, 'recorder' | 'leases' | 'repeats' | keyof SendingAccount> {
  readonly accounts: SendingAccounts;
  readonly db: Database;
  /** For notices to other replicas. */
  readonly redis: Redis;
  /** Opens a connection that waits as long as it takes; delivery closes it. */
  readonly openWaiting: () => Redis;
  readonly webhooks: Webhooks;
  readonly newId: () => string;
  readonly sleep: (ms: number) => Promise<void>;
  /** How often it looks for what nobody else hands over; ms. */
  readonly sweepMs?: number;
}

/** The delivery of messages: MySQL holds the truth, Redis only says whose turn it is. */
export interface Delivery extends MessageQueue {
  /** Begins to send. Without it messages are only taken in, for another process to send. */
  start(): void;
  /** Hands over whose time has come, and again what Redis may have lost, a page at a time; by itself each second. */
  sweep(): Promise<void>;
  /** The same for everything at once; for when Redis is known to have lost what it held. */
  sweepAll(): Promise<void>;
  /** Begins nothing more, and waits a bounded time for what is under way. Connections that were handed in stay open. */
  close(): Promise<void>;
  /** What waits in each lane. */
  depth(): Promise<readonly Depth[]>;
  /** For the queue view. */
  readonly queues: readonly Queue[];
}

const LOOK_MS = 1000;
const PRUNE_MS = 60_000;

/** Makes delivery out of its parts. */
export function createDelivery(parts: DeliveryParts): Delivery {
  const { db, redis, openWaiting, now, newId, onError, concurrency, accounts } = parts;
  const queueRedis = openWaiting();
  queueRedis.on('error', onError);
  const scheduler = createScheduler({ db, redis: queueRedis, now, onError });
  const schedule = (lines: readonly string[]): void => void scheduler.schedule(lines);
  const waiters = createWaiters({ db, redis, openWaiting, onError });
  const hooks = { onFinished: waiters.tell, onFreed: schedule };
  const recorder = createResultRecorder({ ...parts, ...hooks });
  const leases = createLeases(db, now);
  const repeats = createRepeats(db, now);
  const senders = new WeakMap<SendingAccount, ReturnType<typeof createSender>>();
  const send = async (group: Group, own: number): Promise<number | null> => {
    const account = accounts.find(group.account);
    // Taken out of the configuration since it was claimed: its lease ends, and it waits for the account.
    if (account === undefined) return null;
    const sender = senders.get(account) ?? createSender({ ...parts, ...account, recorder, leases, repeats });
    senders.set(account, sender);
    return sender(group, own);
  };
  const sweeper = createSweeper({ db, scheduler, now });
  const onCommitted = (drafts: readonly Draft[]): void =>
    schedule(
      drafts.flatMap(({ at, message }) =>
        isLater(message, at)
          ? []
          : message.receivers.map(({ receiver }) =>
              lineOf(message.lane, receiver, accountOf(receiver, message.account)),
            ),
      ),
    );
  const intake = createIntake({ db, now, newId, onCommitted });
  const loops = [
    createLoop({ restMs: parts.sweepMs ?? LOOK_MS, work: sweeper.sweep, onError }),
    createLoop({ restMs: RENEW_MS, work: leases.renew, onError }),
    createLoop({ restMs: LOOK_MS, work: waiters.look, onError }),
    createLoop({ restMs: PRUNE_MS, work: repeats.prune, onError }),
  ];
  let workers: Workers | null = null;

  return {
    queues: scheduler.queues,
    accept: intake.accept,
    async insert(tx, messages) {
      const inserted = await insertMessages(tx, messages.map(intake.draft));
      return inserted.map((one) => {
        if ('isNew' in one) return one.id;
        throw one;
      });
    },
    async schedule(messageIds) {
      await linesOfMessages(db, messageIds).then(scheduler.schedule).catch(onError);
    },
    finished: waiters.finished,
    recall: (app, messageId) => recall({ ...parts, ...hooks }, app, messageId),
    async resend(app, messageId) {
      const lines = await requeue(db, app, messageId, now());
      schedule(lines ?? []);
      return lines?.length ?? null;
    },
    depth: () => readDepth(db, now()),
    sweep: sweeper.sweep,
    sweepAll: sweeper.sweepAll,
    start() {
      workers = startWorkers({
        openWaiting,
        concurrency,
        claim: (lane, ids) => claim({ db, accounts, now, newId, schedule }, lane, ids),
        send,
        onError,
      });
      waiters.start();
      for (const loop of loops) loop.start();
      queueRedis.on('ready', () => void sweeper.sweepAll().catch(onError));
      void sweeper.sweepAll().catch(onError);
    },
    async close() {
      await workers?.close();
      recorder.close();
      await Promise.all(loops.map((loop) => loop.stop()));
      waiters.close();
      await scheduler.close();
      queueRedis.disconnect();
    },
  };
}
