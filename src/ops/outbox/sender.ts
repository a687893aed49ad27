import { DEFAULT_ACCOUNT, readPrincipal } from '../../contract/principal.ts';
import { type PushClient, PushError } from '../../push/client.ts';
import { createLoop } from '../../server/loop.ts';
import type { Clock } from '../clock.ts';
import type { Outbox, TakenMessage } from './outbox.ts';

/** Hands what is in the outbox to message delivery. */
export interface Sender {
  start(): void;
  /** A message was put into the outbox, due at that time; Unix milliseconds. */
  notice(dueAt: number): void;
  /** One round of what otherwise happens when something is due; answers whether any message left the outbox. */
  round(): Promise<boolean>;
  /** Begins nothing more, and waits for what is being handed over. */
  stop(): Promise<void>;
}

/** What came of handing a message over: taken, refused for good, or to be tried again. */
export type SendResult = 'sent' | 'undeliverable' | 'away';

export interface SenderParts {
  readonly outbox: Outbox;
  readonly client: Pick<PushClient, 'push'>;
  readonly clock: Clock;
  readonly owner: string;
  /** `error` is what message delivery said, but for a message that it took. */
  onResult(result: SendResult, key: string, error?: unknown): void;
  onError(error: unknown): void;
}

/** How often it is looked for what another replica left behind. */
const LOOK_EVERY_MS = 3000;
/** Longer than a call of message delivery, which is repeated once, may take. */
const LEASE_MS = 30_000;
const AGAIN_MS = 1000;
const AGAIN_AT_MOST_MS = 15_000;

/**
 * Makes the sender of one replica. The key of a message makes a repeat harmless: when an answer got lost, or a replica
 * died before it wrote it down, the message is handed over again and its user is told once.
 */
export function createSender({ outbox, client, clock, owner, onResult, onError }: SenderParts): Sender {
  const handOver = async (message: TakenMessage): Promise<boolean> => {
    const { id, text, tries } = message;
    const { account, user } = readPrincipal(message.user);
    const problem = await client
      .push({
        to: { users: [user] },
        text,
        priority: 'alert',
        idempotencyKey: id,
        // Also right for a message delivery that knows no accounts yet.
        ...(account !== DEFAULT_ACCOUNT && { account }),
      })
      .then(() => undefined, wasTaken);
    const now = clock.now();
    if (problem === undefined) {
      await outbox.settle(message, { state: 'sent', now });
      onResult('sent', id);
      return true;
    }
    const said = problem instanceof Error ? problem.message : String(problem);
    if (isRefused(problem)) {
      await outbox.settle(message, { state: 'undeliverable', now, problem: said });
      onResult('undeliverable', id, problem);
      return true;
    }
    const dueAt = now + Math.min(AGAIN_MS * 2 ** tries, AGAIN_AT_MOST_MS);
    await outbox.settle(message, { state: 'waiting', dueAt, problem: said });
    onResult('away', id, problem);
    notice(dueAt);
    return false;
  };
  const round = async (): Promise<boolean> => {
    const now = clock.now();
    const taken = await outbox.take(owner, now, now + LEASE_MS);
    const left = await Promise.all(
      taken.map((message) =>
        handOver(message).catch((error: unknown) => {
          onError(error);
          return false;
        }),
      ),
    );
    return left.includes(true);
  };
  const loop = createLoop({ restMs: LOOK_EVERY_MS, work: round, onError });
  const notice = (dueAt: number): void => {
    setTimeout(loop.wake, Math.max(0, dueAt - clock.now())).unref();
  };
  return { start: loop.start, notice, round, stop: loop.stop };
}

/** Under this key message delivery holds the same in other words: its user is told. */
function wasTaken(error: unknown): unknown {
  return error instanceof PushError && error.status === 409 ? undefined : error;
}

/**
 * Whether message delivery will never take this message. What it says of the app (its key, its rights, its rate) is no
 * fault of the message: that is mended, and until then it waits.
 */
function isRefused(error: unknown): boolean {
  if (!(error instanceof PushError)) return false;
  return error.status >= 400 && error.status < 500 && ![401, 403, 408, 429].includes(error.status);
}
