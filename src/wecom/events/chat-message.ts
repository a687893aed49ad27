import { InputError } from '../../errors.ts';
import { readUserId } from '../userid.ts';
import { decimal, integer, text, type XmlElement } from '../xml/element.ts';
import { legalText } from '../xml/text.ts';

/** What every message has (§2.2). `createTime` is in Unix seconds; `msgId` has 64 bits and so stays a string. */
export interface MessageCommon {
  readonly toUserName: string;
  readonly fromUserName: string;
  readonly createTime: number;
  readonly agentId: number;
  readonly msgId: string;
}

/** A text that a member typed. Characters that XML does not allow were dropped: nobody typed them. */
export interface TextMessage extends MessageCommon {
  readonly kind: 'text';
  readonly content: string;
}

/** A picture; the media id is valid for 3 days. */
export interface ImageMessage extends MessageCommon {
  readonly kind: 'image';
  readonly picUrl: string;
  readonly mediaId: string;
}

/** A voice message; `format` is amr, speex or another. */
export interface VoiceMessage extends MessageCommon {
  readonly kind: 'voice';
  readonly mediaId: string;
  readonly format: string;
}

/** A video and its thumbnail. */
export interface VideoMessage extends MessageCommon {
  readonly kind: 'video';
  readonly mediaId: string;
  readonly thumbMediaId: string;
}

/** A place in degrees; `appType` is `wxwork` when sent from WeCom, else empty. */
export interface LocationMessage extends MessageCommon {
  readonly kind: 'location';
  readonly latitude: number;
  readonly longitude: number;
  readonly scale: number;
  readonly label: string;
  readonly appType: string;
}

/** A shared link. */
export interface LinkMessage extends MessageCommon {
  readonly kind: 'link';
  readonly title: string;
  readonly description: string;
  readonly url: string;
  readonly picUrl: string;
}

/** The six kinds of message that a member can send to an app (§2.3). */
export type ChatMessage =
  | TextMessage
  | ImageMessage
  | VoiceMessage
  | VideoMessage
  | LocationMessage
  | LinkMessage;

/** Reads a message by its MsgType; null when the type is none of the six. Throws {@link InputError} when malformed. */
export function readChatMessage(element: XmlElement): ChatMessage | null {
  switch (text(element, 'MsgType')) {
    case 'text':
      return { ...readCommon(element), kind: 'text', content: legalText(text(element, 'Content')) };
    case 'image':
      return {
        ...readCommon(element),
        kind: 'image',
        picUrl: text(element, 'PicUrl'),
        mediaId: text(element, 'MediaId'),
      };
    case 'voice':
      return {
        ...readCommon(element),
        kind: 'voice',
        mediaId: text(element, 'MediaId'),
        format: text(element, 'Format'),
      };
    case 'video':
      return {
        ...readCommon(element),
        kind: 'video',
        mediaId: text(element, 'MediaId'),
        thumbMediaId: text(element, 'ThumbMediaId'),
      };
    case 'location':
      return {
        ...readCommon(element),
        kind: 'location',
        latitude: decimal(element, 'Location_X'),
        longitude: decimal(element, 'Location_Y'),
        scale: integer(element, 'Scale'),
        label: text(element, 'Label'),
        appType: text(element, 'AppType'),
      };
    case 'link':
      return {
        ...readCommon(element),
        kind: 'link',
        title: text(element, 'Title'),
        description: text(element, 'Description'),
        url: text(element, 'Url'),
        picUrl: text(element, 'PicUrl'),
      };
    default:
      return null;
  }
}

function readCommon(element: XmlElement): MessageCommon {
  return {
    toUserName: text(element, 'ToUserName'),
    fromUserName: readUserId(text(element, 'FromUserName')),
    createTime: integer(element, 'CreateTime'),
    agentId: integer(element, 'AgentID'),
    msgId: readMsgId(text(element, 'MsgId')),
  };
}

function readMsgId(value: string): string {
  if (!/^\d{1,20}$/.test(value)) throw new InputError('<MsgId> is not a whole number');
  return value;
}
