import { DEFAULT_ACCOUNT, readPrincipal, WECOM_CALLBACK } from '../../contract/principal.ts';
import { isRefused, type PushClient, PushError } from '../../push/client.ts';
import { createLoop } from '../../server/loop.ts';
import type { Clock } from '../clock.ts';
import type { Outbox, TakenMessage } from './outbox.ts';

/** What comes of handing a message over: it was taken, refused for good, or is to be tried again. */
export const handOvers = ['sent', 'undeliverable', 'away'] as const;

export interface SenderParts {
  readonly outbox: Outbox;
  readonly client: Pick<PushClient, 'push'>;
  readonly clock: Clock;
  /** A message was handed over; `error` is what message delivery said. */
  onResult(result: (typeof handOvers)[number], key: string, error?: unknown): void;
  onError(error: unknown): void;
}

/** How often it is looked for what another replica left behind. */
const LOOK_EVERY_MS = 3000;
/** Longer than a call of message delivery, which is repeated once, may take. */
const LEASE_MS = 30_000;
const AGAIN_MS = 1000;
const AGAIN_AT_MOST_MS = 15_000;

/**
 * Makes what hands the outbox to message delivery, for one replica. The key of a message makes a repeat harmless: when an
 * answer got lost, or a replica died before it wrote it down, the message is handed over again and its user is told once.
 */
export function createSender({ outbox, client, clock, onResult, onError }: SenderParts) {
  const send = async (message: TakenMessage): Promise<void> => {
    const { channel, account, user } = readPrincipal(message.user);
    // Message delivery would take it to be a user of WeCom, where the same name is somebody else.
    if (channel !== WECOM_CALLBACK) throw new Error(`Nothing sends to users of the channel "${channel}".`);
    await client.push({
      to: { users: [user] },
      text: message.text,
      priority: 'alert',
      idempotencyKey: message.id,
      // Also right for a message delivery that knows no accounts yet.
      ...(account !== DEFAULT_ACCOUNT && { account }),
    });
  };
  const handOver = async (message: TakenMessage): Promise<boolean> => {
    const { id, tries } = message;
    const error = await send(message).then(() => undefined, unlessTaken);
    const now = clock.now();
    const dueAt = now + Math.min(AGAIN_MS * 2 ** tries, AGAIN_AT_MOST_MS);
    const state = error === undefined ? 'sent' : isRefused(error) ? 'undeliverable' : 'waiting';
    await outbox.settle(message, { state, now, dueAt, problem: error?.message ?? null });
    onResult(state === 'waiting' ? 'away' : state, id, error);
    if (state === 'waiting') notice(dueAt);
    return state !== 'waiting';
  };
  const handOverDue = async (): Promise<boolean> => {
    const now = clock.now();
    const taken = await outbox.take(now, now + LEASE_MS);
    const left = await Promise.all(taken.map((message) => handOver(message).catch(onError)));
    return left.includes(true);
  };
  let last: Promise<boolean> = Promise.resolve(false);
  /**
   * One round of what otherwise happens when something is due; answers whether any message left the outbox. Rounds do not
   * overlap: after one nothing of this replica is still being handed over.
   */
  const round = (): Promise<boolean> => {
    last = last.then(handOverDue, handOverDue);
    return last;
  };
  const loop = createLoop({ restMs: LOOK_EVERY_MS, work: round, onError });
  /** A message was put into the outbox, due at that time; Unix milliseconds. */
  const notice = (dueAt: number): void => {
    setTimeout(loop.wake, Math.max(0, dueAt - clock.now())).unref();
  };
  return { start: loop.start, notice, round, stop: loop.stop };
}

/** What went wrong, if anything did: under this key message delivery may hold the same in other words, so its user is told. */
function unlessTaken(error: Error): Error | undefined {
  return error instanceof PushError && error.status === 409 ? undefined : error;
}
