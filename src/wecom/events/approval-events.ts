import { child, children, optionalInteger, text, type XmlElement } from '../xml/element.ts';

/** A person in an approval that was started by an app. `opTime` is Unix seconds. */
function appPerson(item: XmlElement) {
  return {
    name: text(item, 'ItemName'),
    userId: text(item, 'ItemUserId'),
    image: text(item, 'ItemImage'),
    status: optionalInteger(item, 'ItemStatus'),
    speech: text(item, 'ItemSpeech'),
    opTime: optionalInteger(item, 'ItemOpTime'),
  };
}

function appNode(node: XmlElement) {
  return {
    status: optionalInteger(node, 'NodeStatus'),
    attr: optionalInteger(node, 'NodeAttr'),
    type: optionalInteger(node, 'NodeType'),
    items: children(child(node, 'Items'), 'Item').map(appPerson),
  };
}

function appApproval(event: XmlElement) {
  const info = child(event, 'ApprovalInfo');
  return {
    thirdNo: text(info, 'ThirdNo'),
    name: text(info, 'OpenSpName'),
    templateId: text(info, 'OpenTemplateId'),
    status: optionalInteger(info, 'OpenSpStatus'),
    applyTime: optionalInteger(info, 'ApplyTime'),
    applyUserName: text(info, 'ApplyUserName'),
    applyUserId: text(info, 'ApplyUserId'),
    applyUserParty: text(info, 'ApplyUserParty'),
    applyUserImage: text(info, 'ApplyUserImage'),
    approvalNodes: children(child(info, 'ApprovalNodes'), 'ApprovalNode').map(appNode),
    notifyNodes: children(child(info, 'NotifyNodes'), 'NotifyNode').map(appPerson),
    // The page spells this one in lower case.
    approverStep: optionalInteger(info, 'approverstep'),
  };
}

function detail(item: XmlElement) {
  return {
    approver: text(child(item, 'Approver'), 'UserId'),
    speech: text(item, 'Speech'),
    status: optionalInteger(item, 'SpStatus'),
    time: optionalInteger(item, 'SpTime'),
  };
}

function record(item: XmlElement) {
  return {
    status: optionalInteger(item, 'SpStatus'),
    approverAttr: optionalInteger(item, 'ApproverAttr'),
    details: children(item, 'Details').map(detail),
  };
}

function systemApproval(event: XmlElement) {
  const info = child(event, 'ApprovalInfo');
  const applicant = child(info, 'Applyer');
  return {
    no: text(info, 'SpNo'),
    name: text(info, 'SpName'),
    status: optionalInteger(info, 'SpStatus'),
    templateId: text(info, 'TemplateId'),
    applyTime: optionalInteger(info, 'ApplyTime'),
    applicant: { userId: text(applicant, 'UserId'), party: text(applicant, 'Party') },
    records: children(info, 'SpRecord').map(record),
    notified: children(info, 'Notifyer').map((item) => text(item, 'UserId')),
  };
}

/** How the events of approvals are read (§2.4). Times are Unix seconds; in the second, lists are repeated siblings. */
export const approvalEvents = {
  open_approval_change: appApproval,
  sys_approval_change: systemApproval,
} as const;
