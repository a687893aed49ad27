import { normalizeUserId } from '../userid.ts';
import type { ApiAnswer } from './call.ts';
import type { Receipt } from './outgoing.ts';

/** Reads whom an accepted message/send did not reach (§4.2): lists joined with `|`; one that is missing is empty. */
export function readReceipt(answer: ApiAnswer): Receipt {
  return {
    msgid: `${answer.msgid ?? ''}`,
    invalid: {
      users: readList(answer.invaliduser).map(normalizeUserId),
      parties: readList(answer.invalidparty),
      tags: readList(answer.invalidtag),
    },
    unlicensed: readList(answer.unlicenseduser).map(normalizeUserId),
  };
}

function readList(joined: unknown): readonly string[] {
  return typeof joined === 'string' ? joined.split('|').filter((name) => name !== '') : [];
}
