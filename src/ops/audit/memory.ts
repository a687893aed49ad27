import type { Database } from '../database.ts';
import { CHAIN_START, type ChainLink } from './chain.ts';

/** The newest link of the chain that one replica has seen, which whoever has the database cannot take from it. */
export type ChainMemory = ReturnType<typeof createChainMemory>;

/**
 * Makes the memory of one replica, empty until its first look. `onBroken` is told once, the first time that the chain does
 * not end as it must: broken it stays, since what was cut off cannot be told from what comes after.
 */
export function createChainMemory(onBroken: (problem: string) => void) {
  let seen: ChainLink | undefined;
  let isBroken = false;
  const mark = (problem: string): void => {
    if (!isBroken) onBroken(problem);
    isBroken = true;
  };
  return {
    isBroken: (): boolean => isBroken,
    newest: (): ChainLink | undefined => seen,
    /** Takes a link that is committed. */
    remember(link: ChainLink): void {
      if (seen === undefined || link.seq > seen.seq) seen = link;
    },
    /**
     * Locks the head of the chain, for this transaction, and answers it; other replicas may have gone on since. Marks the
     * chain as broken unless head and last row are one, and the newest link seen is still there. Throws when there is
     * no head with its row, after which nothing could be added that holds.
     */
    async lockHead(transaction: Database): Promise<ChainLink> {
      const heads = transaction.selectFrom('audit_head').select(['seq', 'mac']).where('id', '=', 1);
      const head = await heads.forUpdate().executeTakeFirst();
      if (head === undefined) {
        mark('the head of the audit is gone');
        throw new Error('the audit has no head');
      }
      const known = seen ?? head;
      const rows = await transaction
        .selectFrom('audit')
        .select(['seq', 'mac'])
        .where((row) => row.or([row('seq', '=', known.seq), row('seq', '>=', head.seq)]))
        .orderBy('seq')
        .limit(3)
        .execute();
      const holds = (link: ChainLink): boolean =>
        [CHAIN_START, ...rows].some(({ seq, mac }) => seq === link.seq && mac === link.mac);
      if (!holds(known)) mark(`row ${known.seq} of the audit, which was seen, is gone or differs`);
      if (known.seq > head.seq)
        mark(`the head of the audit was turned back from ${known.seq} to ${head.seq}`);
      if (rows.some(({ seq }) => seq > head.seq)) mark(`the audit has rows behind its head ${head.seq}`);
      if (holds(head)) return head;
      mark(`row ${head.seq} of the audit, the newest by its head, is gone or differs`);
      throw new Error('the audit does not end at its head');
    },
  };
}
