import { normalizeUserId } from '../userid.ts';
import type { ApiAnswer } from './call.ts';

/** What WeCom says of a message it took. */
export type Receipt = ReturnType<typeof readReceipt>;

/** Reads whom an accepted message/send did not reach (§4.2), userids in lower case: lists joined with `|`; one that is missing is empty. */
export function readReceipt(answer: ApiAnswer) {
  return {
    msgid: `${answer.msgid ?? ''}`,
    invalid: {
      users: readList(answer.invaliduser).map(normalizeUserId),
      parties: readList(answer.invalidparty),
      tags: readList(answer.invalidtag),
    },
    /** Members whom the app may see but who lack the licence that it needs. */
    unlicensed: readList(answer.unlicenseduser).map(normalizeUserId),
  };
}

function readList(joined: unknown): readonly string[] {
  return typeof joined === 'string' ? joined.split('|').filter((name) => name !== '') : [];
}
