import { ApiError, type Errcode } from './api-error.ts';
import type { Member } from './app.ts';

/** Whom a message goes to, and which names WeCom did not know; joined with `|` as it answers them (protocol §4.2). */
export interface Receivers {
  readonly members: readonly Member[];
  readonly invaliduser: string;
  readonly invalidparty: string;
  readonly invalidtag: string;
}

/**
 * Finds the receivers of message/send. Throws 82001 when none is named, 40032, 82002 or 82003 when too many are,
 * 81013 when nobody is left. User ids are compared without case and answered in lower case (protocol §4.8). No tag exists here.
 */
export function findReceivers(members: readonly Member[], message: Record<string, unknown>): Receivers {
  const users = split(message.touser, 1000, 40032);
  if (users.length === 1 && users[0] === '@all') {
    return { members, invaliduser: '', invalidparty: '', invalidtag: '' };
  }
  const parties = split(message.toparty, 100, 82002);
  const tags = split(message.totag, 100, 82003);
  if (users.length + parties.length + tags.length === 0) throw new ApiError(82001);

  const wanted = new Set(users.map((user) => user.toLowerCase()));
  const isNamed = (member: Member): boolean => wanted.has(member.userid.toLowerCase());
  const isInParty = (member: Member): boolean => parties.some((id) => member.department.includes(Number(id)));
  const found = members.filter((member) => isNamed(member) || isInParty(member));
  if (found.length === 0) throw new ApiError(81013);

  const known = new Set(members.map((member) => member.userid.toLowerCase()));
  const departments = new Set(members.flatMap((member) => member.department.map(String)));
  return {
    members: found,
    invaliduser: [...wanted].filter((user) => !known.has(user)).join('|'),
    invalidparty: parties.filter((id) => !departments.has(id)).join('|'),
    invalidtag: tags.join('|'),
  };
}

function split(list: unknown, limit: number, tooMany: Errcode): readonly string[] {
  const names = typeof list === 'string' ? list.split('|').filter((name) => name !== '') : [];
  if (names.length > limit) throw new ApiError(tooMany, `at most ${limit}`);
  return names;
}
