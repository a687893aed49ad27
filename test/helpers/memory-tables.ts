import type { AuditEntry } from '../../src/ops/audit/audit.ts';
import type { OperationTable } from '../../src/ops/database.ts';
import type { Tables } from '../../src/ops/engine/engine.ts';
import type { OperationRow } from '../../src/ops/engine/operation-row.ts';
import { LEASE_MS, type OperationStore } from '../../src/ops/engine/store.ts';
import { outcomeKey } from '../../src/ops/outbox/outbox.ts';

/** What all replicas of one platform share, without a database. */
export interface Memory {
  readonly rows: Map<string, OperationRow>;
  readonly audit: AuditEntry[];
  /** What users are told outside of an answer, by its key. */
  readonly told: Map<string, string>;
}

export function createMemory(): Memory {
  return { rows: new Map(), audit: [], told: new Map() };
}

const RUNNING = ['started', 'applied'];

/**
 * The tables of the replica `owner`, in memory: what the steps of the store answer is compared with those of the real one in
 * test/ops/operation-steps.test.ts. Limits and wrong codes are not counted.
 */
export function memoryTables(memory: Memory, owner: string): Tables {
  return {
    store: memoryStore(memory, owner),
    codeTries: { count: async () => 4, check: async () => {}, forget: async () => {}, drop: async () => {} },
    limitedReads: { during: (_limited, _now, read) => read(), drop: async () => {} },
    outbox: { cancel: async () => {}, drop: async () => {} },
    audit: {
      async append(entry) {
        memory.audit.push(entry);
        return undefined;
      },
      isBroken: () => false,
      look: async () => {},
      close: async () => {},
    },
  };
}

export function memoryStore({ rows, audit, told }: Memory, owner: string): OperationStore {
  const change = (row: OperationRow, to: Partial<OperationTable>): true => {
    rows.set(row.id, { ...row, ...to });
    return true;
  };
  const leased = (now: number) => ({ lease_owner: owner, lease_until: now + LEASE_MS });
  const own = (id: string): OperationRow | undefined => {
    const row = rows.get(id);
    return row && RUNNING.includes(row.state) && row.lease_owner === owner ? row : undefined;
  };
  const tell = (key: string, text: string): void => {
    if (!told.has(key)) told.set(key, text);
  };
  return {
    async insert(row) {
      const open = { started_at: null, finished_at: null, lease_owner: null, lease_until: null };
      rows.set(row.id, { ...row, ...open, state: 'previewed', text: null, mac: null });
    },
    find: async (id) => rows.get(id),
    wasAllowed: async ({ user, hash }) =>
      audit.some((each) => each.user === user && each.hash === hash && each.outcome === 'allowed'),
    checkLimits: async () => {},
    async start(id, now) {
      const row = rows.get(id);
      if (row?.state !== 'previewed' || row.expires_at <= now) return false;
      return change(row, { state: 'started', started_at: now, ...leased(now) });
    },
    async renew(id, now) {
      const row = own(id);
      return row !== undefined && (row.lease_until ?? 0) > now && change(row, leased(now));
    },
    async markApplied(id) {
      const row = own(id);
      return row !== undefined && change(row, { state: 'applied' });
    },
    async finish(id, { state, text, now, tellAt }) {
      const row = own(id);
      if (row === undefined) return false;
      if (tellAt !== null) tell(outcomeKey(id), text);
      return change(row, { state, text, finished_at: now, lease_owner: null, lease_until: null });
    },
    async note(id, text, message) {
      const row = own(id);
      if (row === undefined) return false;
      if (message !== null) tell(message.key, message.text);
      return change(row, { text });
    },
    async putOff(id, { until, text }) {
      const row = own(id);
      if (row === undefined) return false;
      if (text !== null) tell(`open-${id}`, text);
      return change(row, { lease_until: until });
    },
    async takeOver(now) {
      const isAbandoned = ({ state, lease_until }: OperationRow) =>
        RUNNING.includes(state) && (lease_until ?? 0) < now - 2000;
      const taken = [...rows.values()].filter(isAbandoned);
      for (const row of taken) change(row, leased(now));
      return taken;
    },
    async release() {
      for (const row of rows.values()) {
        if (own(row.id) && row.state === 'applied') change(row, { lease_until: 0 });
      }
    },
    async cancelPreview(id, user, now) {
      const row = rows.get(id);
      if (row?.state !== 'previewed' || row.user !== user) return false;
      return change(row, { state: 'cancelled', finished_at: now });
    },
    dropPreviews: async () => {},
  };
}
