import { ApiError } from './api-error.ts';
import type { Member } from './app.ts';

/**
 * The answer of user/get, with the fields that an app of today gets (protocol §4.8): those of a person's own, such as mobile
 * and email, are not among them. Throws 60111 for an unknown userid; case does not count.
 */
export function userGet(members: readonly Member[], userid: string | undefined): Record<string, unknown> {
  const member = members.find((each) => each.userid.toLowerCase() === userid?.toLowerCase());
  if (member === undefined) throw new ApiError(60111);
  const { name, position, department, leads = [] } = member;
  return {
    userid: member.userid,
    name,
    department,
    // One number for each department, in its order.
    order: department.map(() => 0),
    position,
    is_leader_in_dept: department.map((id) => (leads.includes(id) ? 1 : 0)),
    direct_leader: [],
    main_department: department[0] ?? 1,
    alias: '',
    telephone: '',
    // 1 is active.
    status: 1,
    extattr: { attrs: [] },
    external_position: '',
  };
}
