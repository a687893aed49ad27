import type { Database } from '../database/database.ts';
import type { MessageQueue } from '../delivery/message-queue.ts';
import type { KnownAccounts } from '../http/accounts.ts';
import type { Templates } from '../templates/templates.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';

/** What campaigns need. */
export interface CampaignParts {
  readonly db: Database;
  readonly messageQueue: Pick<MessageQueue, 'insert' | 'wake'>;
  readonly templates: Pick<Templates, 'resolve'>;
  readonly accounts: KnownAccounts;
  /** Called with slices that a pause or stop has finished. */
  readonly webhooks: Webhooks;
  /** Unix ms. */
  readonly now: () => number;
  readonly newId: () => string;
  readonly onError: (error: unknown) => void;
}
