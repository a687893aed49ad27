import type { Database } from '../database/database.ts';
import { type Candidate, type Lead, readSiblings } from './claim-store.ts';
import { groupDeliveries, type OutgoingMessage, readOutgoingMessage } from './group.ts';

/** When a delivery may be claimed, Unix ms; null when that is not for this job to find out. */
export function whenFree(
  { id, line, state, head, holder, dueAt, leaseUntil }: Candidate,
  now: number,
): number | null {
  if (line === null) return null;
  if (state === 'sending') return leaseUntil !== null && leaseUntil > now ? null : now;
  return holder !== null || head !== id ? null : dueAt;
}

/** Deliveries that one call can serve, and that nobody has taken yet. */
export interface Unclaimed {
  readonly outgoingMessage: OutgoingMessage;
  readonly members: readonly [Candidate, ...Candidate[]];
}

/** What jobs of the same moment can send. */
export interface Gathered {
  /** Each begins with the delivery whose job carries it. */
  readonly groups: readonly Unclaimed[];
  /** Who is free as well, and fits into none: there are too many, or the job's own delivery has to wait. */
  readonly left: readonly Candidate[];
}

/** Puts the deliveries of jobs together with those of the same messages that could be sent now. */
export async function gather(db: Database, found: readonly Lead[], now: number): Promise<Gathered> {
  const byMessage = [...Map.groupBy(found, ({ messageId }) => messageId).values()];
  const gathered = await Promise.all(
    byMessage.map(async (some): Promise<Gathered> => {
      const [first] = some;
      if (first === undefined) return { groups: [], left: [] };
      const leaders = some.filter((each) => isFree(each, now));
      const siblings = some.some(({ shared }) => shared === 1)
        ? await readSiblings(db, first.messageId, now)
        : [];
      const free = siblings.filter((each) => isFree(each, now));
      const outgoingMessage = readOutgoingMessage(first);
      const groups = groupDeliveries(outgoingMessage, leaders, free).map((members) => ({
        outgoingMessage,
        members,
      }));
      const gone = new Set(groups.flatMap(({ members }) => members.map(({ id }) => id)));
      return { groups, left: free.filter(({ id }) => !gone.has(id)) };
    }),
  );
  return {
    groups: gathered.flatMap(({ groups }) => groups),
    left: gathered.flatMap(({ left }) => left),
  };
}

function isFree(each: Candidate, now: number): boolean {
  const at = whenFree(each, now);
  return at !== null && at <= now;
}
