import {
  child,
  children,
  integer,
  optionalInteger,
  optionalText,
  text,
  type XmlElement,
} from '../xml/element.ts';

/** The fields of a member. Null is what was not sent: an update carries only what changed (§2.4). */
function member(event: XmlElement) {
  return {
    userId: text(event, 'UserID'),
    newUserId: optionalText(event, 'NewUserID'),
    name: optionalText(event, 'Name'),
    departments: optionalIntegers(event, 'Department'),
    mainDepartment: optionalInteger(event, 'MainDepartment'),
    isLeaderInDept: optionalIntegers(event, 'IsLeaderInDept')?.map((flag) => flag === 1) ?? null,
    directLeaders: optionalList(event, 'DirectLeader'),
    position: optionalText(event, 'Position'),
    mobile: optionalText(event, 'Mobile'),
    gender: optionalInteger(event, 'Gender'),
    email: optionalText(event, 'Email'),
    bizMail: optionalText(event, 'BizMail'),
    status: optionalInteger(event, 'Status'),
    avatar: optionalText(event, 'Avatar'),
    alias: optionalText(event, 'Alias'),
    telephone: optionalText(event, 'Telephone'),
    address: optionalText(event, 'Address'),
    extAttr: children(child(event, 'ExtAttr'), 'Item').map(attribute),
  };
}

function attribute(item: XmlElement) {
  const web = child(item, 'Web');
  return {
    name: text(item, 'Name'),
    type: integer(item, 'Type'),
    text: text(child(item, 'Text'), 'Value'),
    webTitle: text(web, 'Title'),
    webUrl: text(web, 'Url'),
  };
}

function department(event: XmlElement) {
  return {
    id: integer(event, 'Id'),
    name: optionalText(event, 'Name'),
    parentId: optionalInteger(event, 'ParentId'),
    order: optionalInteger(event, 'Order'),
  };
}

function tag(event: XmlElement) {
  return {
    tagId: integer(event, 'TagId'),
    addedUsers: optionalList(event, 'AddUserItems') ?? [],
    removedUsers: optionalList(event, 'DelUserItems') ?? [],
    addedDepartments: optionalIntegers(event, 'AddPartyItems') ?? [],
    removedDepartments: optionalIntegers(event, 'DelPartyItems') ?? [],
  };
}

/** The event `change_contact`, told apart by `changeType`; null for a ChangeType that the page does not list. */
function change(event: XmlElement) {
  const changeType = text(event, 'ChangeType');
  switch (changeType) {
    case 'create_user':
    case 'update_user':
      return { changeType, ...member(event) };
    case 'delete_user':
      return { changeType, userId: text(event, 'UserID') };
    case 'create_party':
    case 'update_party':
      return { changeType, ...department(event) };
    case 'delete_party':
      return { changeType, id: integer(event, 'Id') };
    case 'update_tag':
      return { changeType, ...tag(event) };
    default:
      return null;
  }
}

function job(event: XmlElement) {
  const info = child(event, 'BatchJob');
  return {
    jobId: text(info, 'JobId'),
    jobType: text(info, 'JobType'),
    errCode: integer(info, 'ErrCode'),
    errMsg: text(info, 'ErrMsg'),
  };
}

/** How the events of the address book are read (§2.4). */
export const contactEvents = { change_contact: change, batch_job_result: job } as const;

/** A comma list; null when it was not sent, empty when it was sent empty. */
function optionalList(element: XmlElement, name: string): readonly string[] | null {
  const value = optionalText(element, name);
  return value === null ? null : value.split(',').filter((item) => item !== '');
}

function optionalIntegers(element: XmlElement, name: string): readonly number[] | null {
  const list = optionalList(element, name);
  return list?.map((item) => integer(new Map([[name, item]]), name)) ?? null;
}
