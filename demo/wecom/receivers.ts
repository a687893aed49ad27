import { ApiError, type Errcode } from './api-error.ts';
import type { Member } from './app.ts';
import type { Fields } from './fields.ts';

/** Whom a message goes to, and which names WeCom did not know; joined with `|` as it answers them (protocol §4.2). */
export interface Receivers {
  /** Each once. */
  readonly userids: readonly string[];
  readonly invaliduser: string;
  readonly invalidparty: string;
  readonly invalidtag: string;
  readonly unlicenseduser: string;
}

/** Who can be reached. */
export interface Directory {
  readonly members: readonly Member[];
  /** Whether every well-formed userid is a member, beside those listed. */
  readonly isOpen: boolean;
  readonly tags: Readonly<Record<string, readonly string[]>>;
  /** Members whom the app sees and may not send to, in lower case. */
  readonly unlicensed: readonly string[];
}

const USERID = /^[a-z0-9][\w\-.@]{0,63}$/;

/**
 * Makes the function that finds the receivers of message/send. It throws 82001 when none is named, 40032, 82002 or 82003
 * when too many are, 81013 when nobody is left. User ids are compared without case and answered in lower case (protocol §4.8).
 */
export function createReceivers(directory: Directory): (message: Fields) => Receivers {
  const { members, isOpen, tags, unlicensed } = directory;
  const byId = new Map(members.map(({ userid }) => [userid.toLowerCase(), userid]));
  const departments = new Set(members.flatMap(({ department }) => department.map(String)));
  const idOf = (user: string): string | undefined =>
    byId.get(user) ?? (isOpen && USERID.test(user) ? user : undefined);
  const inParty = (id: string): readonly string[] =>
    members.filter(({ department }) => department.includes(Number(id))).map(({ userid }) => userid);
  const inTag = (id: string): readonly string[] => (Object.hasOwn(tags, id) ? (tags[id] ?? []) : []);

  return (message) => {
    const users = split(message.touser, 1000, 40032).map((user) => user.toLowerCase());
    const isAll = users.length === 1 && users[0] === '@all';
    const parties = isAll ? [] : split(message.toparty, 100, 82002);
    const marks = isAll ? [] : split(message.totag, 100, 82003);
    if (users.length + parties.length + marks.length === 0) throw new ApiError(82001);

    const wanted = isAll ? [...byId.keys()] : [...new Set(users)];
    const named = wanted.flatMap((user) => idOf(user) ?? []);
    const found = [...new Set([...named, ...parties.flatMap(inParty), ...marks.flatMap(inTag)])];
    if (found.length === 0) throw new ApiError(81013);
    const isUnlicensed = (userid: string): boolean => unlicensed.includes(userid.toLowerCase());
    return {
      userids: unlicensed.length === 0 ? found : found.filter((userid) => !isUnlicensed(userid)),
      invaliduser: wanted.filter((user) => idOf(user) === undefined).join('|'),
      invalidparty: parties.filter((id) => !departments.has(id)).join('|'),
      invalidtag: marks.filter((id) => !Object.hasOwn(tags, id)).join('|'),
      unlicenseduser: found.filter(isUnlicensed).join('|').toLowerCase(),
    };
  };
}

function split(list: unknown, limit: number, tooMany: Errcode): readonly string[] {
  const names = typeof list === 'string' ? list.split('|').filter((name) => name !== '') : [];
  if (names.length > limit) throw new ApiError(tooMany, `at most ${limit}`);
  return names;
}
