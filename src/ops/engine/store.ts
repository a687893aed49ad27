import { transact } from '../../server/database.ts';
import type { AttemptDetails } from '../audit/audit.ts';
import type { Database, OperationTable, PreviewedRow } from '../database.ts';
import type { ConfirmedChange } from '../operations/operation.ts';
import { addMessage, outcomeKey } from '../outbox/outbox.ts';

/** A row of the operations table. */
export type OperationRow = Readonly<OperationTable>;

/** What a confirmation has to match for its preview to be started. */
export type Match = Pick<OperationRow, 'id' | 'user' | 'operation' | 'input' | 'hash' | 'code'>;

/** How a row ends. `tellAt` is when its user is to be told, unless a receipt comes first; null when there is nothing to tell. */
export interface Ending {
  readonly state: 'done' | 'failed' | 'unknown' | 'cancelled';
  readonly text: string;
  readonly now: number;
  readonly tellAt: number | null;
}

/** How long a row belongs to a replica that does not renew it: longer than any one request takes. */
export const LEASE_MS = 15_000;

/** How much the clocks of two replicas may differ. */
const SKEW_MS = 2000;

const RUNNING = ['started', 'applied'] as const;

/** The operations table as the engine uses it. */
export type OperationStore = ReturnType<typeof createOperationStore>;

/**
 * Opens the operations table for the replica whose leases bear the name `owner`. Every step is one atomic statement, so
 * that of all replicas only one takes it, and answers whether it was taken. `now` is Unix milliseconds. `onOutcome` hears
 * when an outcome is in the outbox and when it is due.
 */
export function createOperationStore(db: Database, owner: string, onOutcome: (dueAt: number) => void) {
  const rows = (on = db) => on.updateTable('operations');
  const leased = (now: number) => ({ lease_owner: owner, lease_until: now + LEASE_MS });
  const previewed = (id: string) => rows().where('id', '=', id).where('state', '=', 'previewed');
  const own = (on = db) => rows(on).where('state', 'in', RUNNING).where('lease_owner', '=', owner);
  /** Changes a running row that is the owner's, and puts what its user is to be told into the outbox with it. */
  const changeAndTell = async (
    id: string,
    change: Partial<OperationTable>,
    told: { readonly key: string; readonly text: string; readonly tellAt: number } | null,
  ): Promise<boolean> => {
    const isChanged = await transact(db, async (transaction) => {
      if (!(await changed(own(transaction).set(change).where('id', '=', id)))) return false;
      if (told === null) return true;
      const row = transaction.selectFrom('operations').select('user').where('id', '=', id);
      const { user } = await row.executeTakeFirstOrThrow();
      await addMessage(transaction, { id: told.key, user, text: told.text, due_at: told.tellAt });
      return true;
    });
    if (isChanged && told !== null) onOutcome(told.tellAt);
    return isChanged;
  };
  return {
    async insert(row: Readonly<PreviewedRow>): Promise<void> {
      await db
        .insertInto('operations')
        .values({ ...row, state: 'previewed', told: 0 })
        .execute();
    },
    find: (id: string): Promise<OperationRow | undefined> =>
      db.selectFrom('operations').selectAll().where('id', '=', id).executeTakeFirst(),
    /** previewed → started, until it ends. Whether all that was confirmed matches is looked at before (confirm.ts). */
    start: (id: string, now: number) =>
      changed(
        previewed(id)
          .set({ state: 'started', started_at: now, ...leased(now) })
          .where('expires_at', '>', now),
      ),
    /** Lengthens the lease of a running row; false when it has run out or belongs to another. */
    renew: (id: string, now: number) =>
      changed(own().set(leased(now)).where('id', '=', id).where('lease_until', '>', now)),
    /** started → applied. */
    markApplied: (id: string) => changed(own().set({ state: 'applied' }).where('id', '=', id)),
    /** Ends a running row that is still the owner's, and puts its outcome into the outbox in the same transaction. */
    finish(id: string, { state, text, now, tellAt }: Ending): Promise<boolean> {
      const end = { state, text, finished_at: now, lease_owner: null, lease_until: null };
      return changeAndTell(id, end, tellAt === null ? null : { key: outcomeKey(id), text, tellAt });
    },
    /** Leaves a running row alone until that time; `text` is told to its user now, once however often it is put off. */
    putOff: (
      id: string,
      { now, until, text }: { readonly now: number; readonly until: number; readonly text: string | null },
    ): Promise<boolean> =>
      changeAndTell(
        id,
        { lease_until: until },
        text === null ? null : { key: `open-${id}`, text, tellAt: now },
      ),
    /** Takes over running rows whose lease has ended, whichever replica's clock one goes by. */
    async takeOver(now: number): Promise<readonly OperationRow[]> {
      const abandoned = db.selectFrom('operations').selectAll().where('state', 'in', RUNNING);
      const candidates = await abandoned
        .where('lease_until', '<', now - SKEW_MS)
        .limit(20)
        .execute();
      const taken: OperationRow[] = [];
      for (const row of candidates) {
        const take = rows()
          .set(leased(now))
          .where('id', '=', row.id)
          .where('state', '=', row.state)
          .where('lease_owner', '=', row.lease_owner)
          .where('lease_until', '=', row.lease_until);
        if (await changed(take)) taken.push(row);
      }
      return taken;
    },
    /**
     * Gives back the leases of what is being watched, so that another replica can go on at once. An effect that has not
     * been recorded may still be on its way: its lease ends by itself.
     */
    async release(): Promise<void> {
      await own().set({ lease_until: 0 }).where('state', '=', 'applied').execute();
    },
    /** previewed → cancelled, if the row is the user's. */
    cancelPreview: (id: string, user: string, now: number) =>
      changed(previewed(id).where('user', '=', user).set({ state: 'cancelled', finished_at: now })),
    /** Forgets previews that nobody can confirm any more. */
    async dropPreviews(expiredBefore: number): Promise<void> {
      await db
        .deleteFrom('operations')
        .where('state', 'in', ['previewed', 'cancelled'])
        .where('expires_at', '<', expiredBefore)
        .limit(10_000)
        .execute();
    },
  };
}

/** The confirmed change that a row describes. */
export function changeOf(row: OperationRow): ConfirmedChange {
  const { id, target, version, started_at } = row;
  return {
    id,
    target,
    version,
    input: JSON.parse(row.input),
    before: JSON.parse(row.before_value),
    startedAt: started_at ?? 0,
  };
}

/** What the row of a change says of an attempt at it. */
export function detailsOf(row: OperationRow): AttemptDetails {
  const { user, operation, unit, target, hash, input, before_value, after_value } = row;
  return { user, operation, unit, target, hash, input, before_value, after_value };
}

async function changed(update: {
  executeTakeFirst(): Promise<{ readonly numUpdatedRows: bigint }>;
}): Promise<boolean> {
  return (await update.executeTakeFirst()).numUpdatedRows > 0n;
}
