import type { Messenger } from '../../wecom/api/messenger.ts';
import type { Breaker } from './breaker.ts';
import type { Pause } from './pause.ts';

/** What sends for one account: apart from all others, so that what happens to one happens to it alone. */
export interface SendingAccount {
  readonly messenger: Messenger;
  /** Account limit of the enterprise at this moment: 200 times as many may be sent to a day (§4.12). */
  readonly accountLimit: () => number;
  readonly breaker: Breaker;
  readonly pause: Pause;
}

/** The accounts that this process sends for. */
export interface SendingAccounts {
  /** Undefined for one that was taken out of the configuration: what is queued for it waits. */
  find(account: string): SendingAccount | undefined;
}
