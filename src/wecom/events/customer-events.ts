import { children, optionalInteger, optionalText, text, texts, type XmlElement } from '../xml/element.ts';

function contact(event: XmlElement) {
  return {
    changeType: text(event, 'ChangeType'),
    userId: text(event, 'UserID'),
    externalUserId: text(event, 'ExternalUserID'),
    state: optionalText(event, 'State'),
    welcomeCode: optionalText(event, 'WelcomeCode'),
    source: optionalText(event, 'Source'),
    failReason: optionalText(event, 'FailReason'),
  };
}

function chat(event: XmlElement) {
  return {
    changeType: text(event, 'ChangeType'),
    chatId: text(event, 'ChatId'),
    updateDetail: optionalText(event, 'UpdateDetail'),
    joinScene: optionalInteger(event, 'JoinScene'),
    quitScene: optionalInteger(event, 'QuitScene'),
    memberChangeCount: optionalInteger(event, 'MemChangeCnt'),
    changedMembers: children(event, 'MemChangeList').flatMap((list) => texts(list, 'Item')),
    lastMemberVersion: optionalText(event, 'LastMemVer'),
    currentMemberVersion: optionalText(event, 'CurMemVer'),
  };
}

/** How the events of customers are read: 微信客服 (§7.1) and 客户联系 (§7.3). */
export const customerEvents = {
  kf_msg_or_event: (event: XmlElement) => ({
    token: text(event, 'Token'),
    openKfId: text(event, 'OpenKfId'),
  }),
  kf_account_auth_change: (event: XmlElement) => ({
    added: texts(event, 'AuthAddOpenKfId'),
    removed: texts(event, 'AuthDelOpenKfId'),
  }),
  change_external_contact: contact,
  change_external_chat: chat,
  change_external_tag: (event: XmlElement) => ({
    changeType: text(event, 'ChangeType'),
    id: text(event, 'Id'),
    tagType: text(event, 'TagType'),
  }),
} as const;
