import type { Database } from '../database/database.ts';
import type { MessageQueue } from '../delivery/message-queue.ts';
import type { KnownAccounts } from '../http/accounts.ts';
import type { Media } from '../media/media.ts';
import type { Templates } from '../templates/template-store.ts';

/** What the routes of messages need. */
export interface MessageParts {
  readonly db: Database;
  readonly messageQueue: Pick<MessageQueue, 'accept' | 'finished' | 'recall' | 'resend'>;
  readonly templates: Pick<Templates, 'resolve'>;
  readonly media: Pick<Media, 'save' | 'use' | 'bytes'>;
  /** The picture at a public address; throws an InputError. */
  readonly fetchImage: (url: string) => Promise<{ readonly name: string; readonly bytes: Uint8Array }>;
  /** Names of the robots. */
  readonly robots: ReadonlySet<string>;
  readonly accounts: KnownAccounts;
  /** Why an account is paused, in a sentence; null when it is not. */
  readonly pausedNote: (account: string) => string | null;
  /** Unix ms. */
  readonly now: () => number;
}
