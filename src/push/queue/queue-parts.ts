import type { SendingAccounts } from '../accounts/accounts.ts';
import type { Lane, Receiver } from '../content/message.ts';
import type { Database } from '../database/database.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import type { Windows } from './limits.ts';
import type { Limit } from './limits-check.ts';

/** What the queue stands on. */
export interface QueueParts {
  readonly db: Database;
  readonly accounts: SendingAccounts;
  readonly webhooks: Webhooks;
  /** The clock of this process; Unix ms. */
  readonly now: () => number;
  readonly newId: () => string;
  readonly sleep: (ms: number) => Promise<void>;
  /** In which windows the calls of a receiver are counted. */
  readonly windowsOf: (receiver: Receiver) => Windows | null;
  /** Called for everything that a limit puts off, for the metrics; ms. */
  readonly onLimit: (wait: { readonly lane: Lane; readonly limit: Limit; readonly ms: number }) => void;
  readonly onError: (error: unknown) => void;
}

/** What those need who end deliveries. */
export interface Finishing extends QueueParts {
  /** Called after the commit with the messages of which nothing is open any more. */
  readonly onFinished: (messageIds: readonly string[]) => void;
}
