import { hash } from 'node:crypto';
import type { Outgoing } from '../../wecom/api/outgoing.ts';
import { splitText } from '../../wecom/api/split-text.ts';
import type { Content } from './content.ts';
import { MAX_MARKDOWN } from './content-schema.ts';
import { markdownToText } from './markdown-to-text.ts';
import type { Receiver, ReceiverKind } from './message.ts';

/** What this receiver gets of a content: markdown as plain text where the caller asked for it. */
export function contentFor(content: Content, receiver: Receiver): Content {
  if (!('markdown' in content)) return content;
  const { markdown, plainTextFor = [] } = content;
  const isPlain =
    plainTextFor === 'all' || plainTextFor.some((userid) => `user:${userid.toLowerCase()}` === receiver);
  return isPlain ? { text: markdownToText(markdown) } : content;
}

/**
 * The messages that say a content to a receiver of this kind, to be sent in this order: several when a text is longer
 * than WeCom takes (§4.2, §5). `mediaId` is of the image or file; a robot takes the `picture` itself.
 */
export function compose(
  content: Content,
  kind: ReceiverKind,
  mediaId?: string,
  picture?: Buffer,
): readonly Outgoing[] {
  if ('text' in content) return composeText(content.text, kind, content.mentioned ?? []);
  if ('markdown' in content) {
    const parts = split(content.markdown, kind === 'robot' ? MAX_MARKDOWN.robot : MAX_MARKDOWN.app);
    return parts.map((part) => ({ msgtype: 'markdown', body: { content: part } }));
  }
  if ('textcard' in content) return [{ msgtype: 'textcard', body: content.textcard }];
  if ('news' in content) return [{ msgtype: 'news', body: content.news }];
  if ('templateCard' in content) return [{ msgtype: 'template_card', body: content.templateCard }];
  if ('image' in content && kind === 'robot') return [{ msgtype: 'image', body: pictureBody(picture) }];
  if (mediaId === undefined) throw new Error('an image or file is sent by its media_id, and none was given');
  return [{ msgtype: 'image' in content ? 'image' : 'file', body: { media_id: mediaId } }];
}

/** Only groups can mention (§4.5, §5); once, under the last part, so that nobody is called before all is there. */
function composeText(text: string, kind: ReceiverKind, mentioned: readonly string[]): readonly Outgoing[] {
  const canMention = mentioned.length > 0 && (kind === 'chat' || kind === 'robot');
  const parts = split(text, 2048);
  return parts.map((content, index) => {
    const isLast = index === parts.length - 1;
    return { msgtype: 'text', body: { content, ...(canMention && isLast && { mentioned_list: mentioned }) } };
  });
}

/** Parts of white space only would be refused as empty (44004); a text of nothing else stays, to be refused as a whole. */
function split(text: string, bytes: number): readonly string[] {
  const parts = splitText(text, bytes).filter((part) => part.trim() !== '');
  return parts.length === 0 ? [''] : parts;
}

function pictureBody(picture: Buffer | undefined): Outgoing['body'] {
  if (picture === undefined) throw new Error('a robot takes the picture itself, and none was given');
  return { base64: picture.toString('base64'), md5: hash('md5', picture) };
}
