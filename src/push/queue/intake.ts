import { createBatcher } from '../../server/batch.ts';
import { transact } from '../../server/database.ts';
import { isDatabaseAway } from '../../server/mysql-errors.ts';
import type { Accepted, NewMessage } from '../content/message.ts';
import { type Draft, insertMessages } from './accept-store.ts';
import type { QueueParts } from './queue-parts.ts';

/** What taking messages in needs. */
interface IntakeParts extends Pick<QueueParts, 'db' | 'now' | 'newId'> {
  /** Called after the commit of a batch. */
  readonly onCommitted: () => void;
}

/** So many deliveries go into one transaction; a message costs as much as so many of them. */
const BATCH = 2000;
const MESSAGE = 10;

/**
 * Takes messages in with one transaction for all callers of a moment, in the order of their calls; alerts do not wait for
 * other lanes.
 */
export function createIntake({ db, now, newId, onCommitted }: IntakeParts) {
  const draft = (message: NewMessage): Draft => ({ id: newId(), at: now(), message });

  /** A message that the database refuses must not take others with it; the refusal left nothing behind. */
  const write = async (drafts: readonly Draft[]): Promise<readonly (Accepted | Error)[]> => {
    try {
      return await transact(db, (tx) => insertMessages(tx, drafts));
    } catch (error) {
      if (isDatabaseAway(error)) throw error;
      if (drafts.length === 1) return [error as Error];
    }
    const each: (Accepted | Error)[] = [];
    for (const one of drafts) each.push(...(await write([one]).catch((error: Error) => [error])));
    return each;
  };
  const open = () =>
    createBatcher<Draft, Accepted | Error>(
      async (drafts) => {
        const written = await write(drafts);
        onCommitted();
        return written;
      },
      { size: BATCH, parallel: 1, weigh: ({ message }) => MESSAGE + message.receivers.length },
    );
  const [alerts, others] = [open(), open()];
  return {
    /** Gives messages their ids and time. */
    draft,
    /** Resolves after the commit; messages of one moment share it. Throws an InputError for a used idempotency key. */
    async accept(message: NewMessage): Promise<Accepted> {
      const commit = message.lane === 'alert' ? alerts : others;
      const accepted = await commit(draft(message));
      if (accepted instanceof Error) throw accepted;
      return accepted;
    },
  };
}
