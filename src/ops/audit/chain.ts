import { createHmac } from 'node:crypto';
import { canonicalJson } from '../json.ts';

/** How an attempt, or a stage of it, ended. */
export type AuditOutcome =
  | 'allowed' // about to be run
  | 'denied'
  | 'previewed'
  | 'expired'
  | 'cancelled' // confirmed, and certain not to happen
  | 'done'
  | 'failed'
  | 'unknown';

/** What one row of the audit says. Times are Unix milliseconds; `input`, `before_value` and `after_value` are canonical JSON. */
export interface AuditRow {
  readonly seq: number;
  readonly at: number;
  readonly user: string;
  readonly operation: string;
  readonly unit: string;
  readonly target: string;
  readonly input: string;
  readonly before_value: string;
  readonly after_value: string;
  readonly hash: string;
  readonly jti: string;
  readonly source: string;
  readonly ms: number;
  readonly outcome: AuditOutcome;
  readonly reason: string;
}

/** A place in the chain: after row `seq`, whose MAC is `mac`. */
export interface ChainLink {
  readonly seq: number;
  readonly mac: string;
}

/** Where every chain begins. */
export const CHAIN_START: ChainLink = { seq: 0, mac: '0'.repeat(64) };

/** HMAC-SHA256 over the MAC of the row before and all that this row says; hex. Without the key no row can be made to fit. */
export function chainMac(key: string, previous: string, row: AuditRow): string {
  return createHmac('sha256', key).update(previous).update(canonicalJson(row)).digest('hex');
}

/**
 * Starts a check of rows one after another, at the beginning of the chain; `expected` is a link that was noted elsewhere,
 * at an earlier time. `problems` are sentences that name the row; at most 20 are kept.
 */
export function createChainCheck(key: string, expected?: ChainLink) {
  const problems: string[] = [];
  const report = (sentence: string): void => {
    if (problems.length < 20) problems.push(sentence);
  };
  let last = CHAIN_START;
  let met = expected === undefined;
  return {
    problems,
    /** Takes the next row in the order of `seq`. */
    take({ mac, ...row }: AuditRow & { readonly mac: string }): void {
      if (row.seq > last.seq + 1) report(`${missing(last.seq + 1, row.seq - 1)} removed`);
      else if (chainMac(key, last.mac, row) !== mac) {
        report(`row ${row.seq} was changed, inserted or moved, or the key is another one`);
      }
      if (row.seq === expected?.seq) {
        met = true;
        if (mac !== expected.mac) report(`row ${row.seq} is not the one that was expected`);
      }
      // Going on from what the row says of itself, so that one change is one problem and not a thousand.
      last = { seq: row.seq, mac };
    },
    /** Holds the end of the chain against what the head row says, and answers the last link. */
    finish(head: ChainLink | undefined): ChainLink {
      if (head === undefined) report('the head of the chain was removed');
      else if (head.seq > last.seq) report(`${missing(last.seq + 1, head.seq)} removed from the end`);
      else if (head.seq < last.seq) report(`${missing(head.seq + 1, last.seq)} added behind the end`);
      else if (head.mac !== last.mac) report(`the head of the chain does not fit row ${last.seq}`);
      if (!met) report(`row ${expected?.seq}, which was expected, is not there`);
      return last;
    },
  };
}

function missing(from: number, to: number): string {
  return from === to ? `row ${from} was` : `rows ${from} to ${to} were`;
}
