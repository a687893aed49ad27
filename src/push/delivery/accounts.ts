import type { Messenger } from '../../wecom/api/outgoing.ts';
import { DEFAULT_ACCOUNT, type Receiver } from '../content/message.ts';
import type { Breaker } from './breaker.ts';
import type { Limits } from './limits.ts';
import type { Pause } from './pause.ts';

/** What sends for one account: apart from all others, so that what happens to one happens to it alone. */
export interface SendingAccount {
  readonly messenger: Messenger;
  readonly limits: Limits;
  readonly breaker: Breaker;
  readonly pause: Pause;
}

/** The accounts that this process sends for. */
export interface SendingAccounts {
  /** Undefined for one that was taken out of the configuration: what is queued for it waits. */
  find(account: string): SendingAccount | undefined;
}

/** How often it is looked whether an account is back, in ms. */
const LOOK_MS = 30_000;

/** The account under which a delivery is kept: group robots belong to none, and stand under the default. */
export function accountOf(receiver: Receiver, account: string = DEFAULT_ACCOUNT): string {
  return isRobot(receiver) ? DEFAULT_ACCOUNT : account;
}

/** When a delivery of this account to this receiver may go out as far as the account is concerned; null for now. */
export function whenOpen(
  accounts: SendingAccounts,
  { account, receiver }: { readonly account: string; readonly receiver: Receiver },
  now: number,
): number | null {
  const found = accounts.find(account);
  if (found === undefined) return now + LOOK_MS;
  return isRobot(receiver) ? null : found.pause.until();
}

/** Whether a receiver is a group robot, which calls WeCom by a key of its own. */
export function isRobot(receiver: Receiver): boolean {
  return receiver.startsWith('robot:');
}
