import type { WeComApp } from './app.ts';

/** What a member sends or does; each becomes one callback (protocol §2.3, §2.4). */
export type Content =
  | { readonly type: 'text'; readonly content: string }
  | { readonly type: 'image'; readonly picUrl: string; readonly mediaId: string }
  | { readonly type: 'voice'; readonly mediaId: string; readonly format: string }
  | { readonly type: 'video'; readonly mediaId: string; readonly thumbMediaId: string }
  | {
      readonly type: 'location';
      readonly latitude: number;
      readonly longitude: number;
      readonly scale: number;
      readonly label: string;
    }
  | {
      readonly type: 'link';
      readonly title: string;
      readonly description: string;
      readonly url: string;
      readonly picUrl: string;
    }
  | { readonly type: 'event'; readonly event: string; readonly eventKey?: string };

/** The fields that every callback carries; `createTime` is Unix seconds, `msgId` is absent from events. */
export interface Heading {
  readonly user: string;
  readonly createTime: number;
  readonly msgId: string;
}

/** The plaintext of a callback, in the shape of protocol §2.2: text in CDATA, numbers bare. */
export function writeCallback(app: WeComApp, heading: Heading, content: Content): string {
  const fields: Record<string, string | number> = {
    ToUserName: app.corpId,
    FromUserName: heading.user,
    CreateTime: heading.createTime,
    MsgType: content.type,
    ...contentFields(content),
  };
  const elements = Object.entries(fields).map(([name, value]) => element(name, value));
  if (content.type !== 'event') elements.push(`<MsgId>${heading.msgId}</MsgId>`);
  elements.push(element('AgentID', app.agentId));
  return `<xml>${elements.join('\n')}\n</xml>`;
}

/** One element: a number as it is, a text in CDATA, split where it would end the CDATA. */
export function element(name: string, value: string | number): string {
  if (typeof value === 'number') return `<${name}>${value}</${name}>`;
  return `<${name}><![CDATA[${value.replaceAll(']]>', ']]]]><![CDATA[>')}]]></${name}>`;
}

function contentFields(content: Content): Record<string, string | number> {
  switch (content.type) {
    case 'text':
      return { Content: content.content };
    case 'image':
      return { PicUrl: content.picUrl, MediaId: content.mediaId };
    case 'voice':
      return { MediaId: content.mediaId, Format: content.format };
    case 'video':
      return { MediaId: content.mediaId, ThumbMediaId: content.thumbMediaId };
    case 'location':
      return {
        Location_X: content.latitude,
        Location_Y: content.longitude,
        Scale: content.scale,
        Label: content.label,
        AppType: 'wxwork',
      };
    case 'link':
      return {
        Title: content.title,
        Description: content.description,
        Url: content.url,
        PicUrl: content.picUrl,
      };
    case 'event':
      return { Event: content.event, EventKey: content.eventKey ?? '' };
  }
}
