import { Refused } from '../../errors.ts';
import { transact } from '../../server/database.ts';
import type { OperationTable, PreviewedRow } from '../database.ts';
import { addMessage, outcomeKey } from '../outbox/outbox.ts';
import type { Records } from '../records.ts';
import { checkLimits, type Limited, lockLimits } from './limits.ts';
import type { OperationRow } from './operation-row.ts';

/** What a confirmation has to match for its preview to be started. */
export type Match = Pick<OperationRow, 'id' | 'user' | 'operation' | 'input' | 'hash' | 'code'>;

/** How a row ends. `tellAt` is when its user is to be told, unless a receipt comes first; null when there is nothing to tell. */
export interface Ending {
  readonly state: 'done' | 'failed' | 'unknown' | 'cancelled';
  readonly text: string;
  readonly now: number;
  readonly tellAt: number | null;
}

/** A message to the user of a row; a second one of the same key is none. */
interface Told {
  readonly key: string;
  readonly text: string;
  readonly tellAt: number;
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
 * when an outcome is in the outbox and when it is due. A row that the platform did not write like this is set aside, and
 * whoever asks for it gets Refused (`tampered`).
 */
export function createOperationStore(records: Records, owner: string, onOutcome: (dueAt: number) => void) {
  const { db } = records;
  const rows = (on = db) => on.updateTable('operations');
  const leased = (now: number) => ({ lease_owner: owner, lease_until: now + LEASE_MS });
  const previewed = (id: string, on = db) => rows(on).where('id', '=', id).where('state', '=', 'previewed');
  /** Sets a row aside, so that no replica looks at it again; the first one to do so says so. */
  const setAside = async ({ id, user, operation, target, state }: OperationRow): Promise<void> => {
    if (state === 'forged') return;
    const aside = rows().set({ state: 'forged' }).where('id', '=', id).where('state', '=', state);
    if (await changed(aside)) records.onForgery({ table: 'operations', id, user, operation, target });
  };
  const find = async (id: string, on = db): Promise<OperationRow | undefined> => {
    const row = await on.selectFrom('operations').selectAll().where('id', '=', id).executeTakeFirst();
    if (row === undefined || records.isOperation(row)) return row;
    await setAside(row);
    throw new Refused('tampered', '这个操作的记录不是平台写的，或被改过，平台不会执行，请联系运维负责人');
  };
  /** What a step changes, with the MAC of the row as it is then: made of what was found, not of what stands there by now. */
  const sealed = (row: OperationRow, change: Partial<OperationTable>) => ({
    ...change,
    mac: records.operationMac({ ...row, ...change }),
  });
  const own = (on = db) => rows(on).where('state', 'in', RUNNING).where('lease_owner', '=', owner);
  /** Changes a running row that is the owner's, and puts what its user is to be told into the outbox with it. */
  const changeAndTell = async (
    id: string,
    change: Partial<OperationTable>,
    told: Told | null,
  ): Promise<boolean> => {
    const isChanged = await transact(db, async (transaction) => {
      const row = await find(id, transaction);
      if (row === undefined) return false;
      const step = own(transaction).set(sealed(row, change)).where('id', '=', id);
      if (!(await changed(step.where('mac', '=', row.mac)))) return false;
      if (told === null) return true;
      const message = { id: told.key, user: row.user, text: told.text, due_at: told.tellAt };
      await addMessage({ ...records, db: transaction }, message);
      return true;
    });
    if (isChanged && told !== null) onOutcome(told.tellAt);
    return isChanged;
  };
  return {
    async insert(row: Readonly<PreviewedRow>): Promise<void> {
      const whole = { ...row, state: 'previewed', started_at: null, text: null } as const;
      const mac = records.operationMac(whole);
      await db
        .insertInto('operations')
        .values({ ...whole, mac })
        .execute();
    },
    find: (id: string) => find(id),
    /** Whether the audit knows that it was about to run, as of a row that was put back to what it once was. */
    async wasAllowed({ user, hash, created_at }: OperationRow): Promise<boolean> {
      const allowed = db.selectFrom('audit').select('seq').where('user', '=', user);
      const rows = allowed.where('at', '>=', created_at - SKEW_MS).where('hash', '=', hash);
      return (await rows.where('outcome', '=', 'allowed').executeTakeFirst()) !== undefined;
    },
    /** Throws Refused (`busy`) where one more could not be started now. */
    checkLimits: (limited: Limited, now: number) => checkLimits(db, limited, now),
    /** previewed → started, until it ends, within its limits (else Refused `busy`). Whether all that was confirmed matches is looked at before (confirm.ts). */
    async start(id: string, now: number, limited?: Limited): Promise<boolean> {
      const row = await find(id);
      if (row === undefined) return false;
      const change = sealed(row, { state: 'started', started_at: now, ...leased(now) });
      const start = (on = db) => {
        const open = previewed(id, on).where('mac', '=', row.mac).where('expires_at', '>', now);
        return changed(open.set(change));
      };
      if (limited === undefined) return start();
      return transact(db, async (transaction) => {
        await lockLimits(transaction, limited, now);
        return start(transaction);
      });
    },
    /** Lengthens the lease of a running row; false when it has run out or belongs to another. */
    renew: (id: string, now: number) =>
      changed(own().set(leased(now)).where('id', '=', id).where('lease_until', '>', now)),
    /** started → applied. */
    markApplied: (id: string) => changeAndTell(id, { state: 'applied' }, null),
    /** Ends a running row that is still the owner's, and puts its outcome into the outbox in the same transaction. */
    finish(id: string, { state, text, now, tellAt }: Ending): Promise<boolean> {
      const end = { state, text, finished_at: now, lease_owner: null, lease_until: null } as const;
      return changeAndTell(id, end, tellAt === null ? null : { key: outcomeKey(id), text, tellAt });
    },
    /** Writes down how a running row stands, and tells its user when `told` is there. */
    note: (id: string, text: string, told: Told | null) => changeAndTell(id, { text }, told),
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
        if (!records.isOperation(row)) {
          await setAside(row);
          continue;
        }
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
    async cancelPreview(id: string, user: string, now: number): Promise<boolean> {
      const row = await find(id);
      if (row?.state !== 'previewed') return false;
      const change = sealed(row, { state: 'cancelled', finished_at: now });
      return changed(previewed(id).where('user', '=', user).set(change).where('mac', '=', row.mac));
    },
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

async function changed(update: {
  executeTakeFirst(): Promise<{ readonly numUpdatedRows: bigint }>;
}): Promise<boolean> {
  return (await update.executeTakeFirst()).numUpdatedRows > 0n;
}
