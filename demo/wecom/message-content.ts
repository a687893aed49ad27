import { ApiError } from './api-error.ts';
import { checkCard } from './card-check.ts';
import { type Fields, listOf, optional, readFields, required } from './fields.ts';
import { showCard } from './template-card.ts';
import { readDescription } from './textcard.ts';
import type { Uploads } from './uploads.ts';
import { cutText, type Shown } from './view.ts';

/** Who sends: which types it may send, whose uploads it may use (a robot's name, or null), and how it writes markdown. */
export interface Sender {
  readonly types: ReadonlySet<string>;
  readonly uploads: Uploads;
  readonly owner: string | null;
  /** What is left of a markdown, or a refusal. */
  readonly markdown: (content: string) => Shown;
}

/** Where the phone's server gives out what was uploaded. */
export const MEDIA_PATH = '/api/media/';

const readers: Readonly<Record<string, (body: Fields, sender: Sender) => Shown>> = {
  text: ({ content }) => cut(required(content)),
  markdown: ({ content }, { markdown }) => ({ ...markdown(required(content)), view: { kind: 'markdown' } }),
  markdown_v2: ({ content }, { markdown }) => markdown(required(content)),
  // What WeCom does with a title or a description that is too long (§4.2) is not documented; it is shown as it is.
  textcard: (body) => {
    const title = required(body.title, 41016);
    const description = required(body.description, 41033);
    const url = required(body.url, 41010);
    const links = [{ title: optional(body.btntxt) || '详情', url }];
    return {
      text: [title, description, url].join('\n'),
      view: { kind: 'card', title, lines: readDescription(description), rows: [], links, buttons: [] },
    };
  },
  image: ({ media_id: id }, { uploads, owner }) => {
    uploads.find(id, 'image', owner);
    return { text: '[image]', view: { kind: 'image', src: `${MEDIA_PATH}${id}` } };
  },
  voice: ({ media_id: id }, { uploads, owner }) => {
    uploads.find(id, 'voice', owner);
    return { text: '[voice]' };
  },
  video: ({ media_id: id, title, description }, { uploads, owner }) => {
    uploads.find(id, 'video', owner);
    return { text: ['[video]', optional(title), optional(description)].filter(Boolean).join('\n') };
  },
  file: ({ media_id: id }, { uploads, owner }) => {
    const { name, bytes } = uploads.find(id, 'file', owner);
    const view = { kind: 'file', name, bytes: bytes.length, src: `${MEDIA_PATH}${id}` } as const;
    return { text: `[file] ${name}`, view };
  },
  news: (body, { owner }) => {
    const shown = articlesOf(body).map(({ title, description, url, appid, pagepath }) => ({
      title: required(title, 41016),
      description: optional(description),
      // An app may lead to a mini program instead.
      url: owner === null && optional(appid) && optional(pagepath) ? optional(url) : required(url, 41010),
    }));
    const text = shown.map((article) => `${article.title}\n${article.url}`).join('\n');
    return { text, view: { kind: 'news', articles: shown } };
  },
  mpnews: (body, { uploads, owner }) => {
    const titles = articlesOf(body).map(({ title, thumb_media_id: thumb, content }) => {
      uploads.find(thumb, 'image', owner);
      required(content);
      return required(title, 41016);
    });
    return { text: `[mpnews] ${titles.join('\n')}` };
  },
  miniprogram_notice: ({ appid, title, content_item: items }) => {
    required(appid, 90207);
    const rows = listOf(items, 10).map(({ key, value }) => `${required(key)}：${required(value)}`);
    return { text: ['[miniprogram_notice]', required(title, 41016), ...rows].join('\n') };
  },
  template_card: (card, { uploads, owner }) => {
    checkCard(card, (mediaId) => uploads.has(mediaId, owner));
    return showCard(card);
  },
  taskcard: ({ title, task_id: taskId, btn }) => {
    if (!/^[\w@-]{1,128}$/.test(optional(taskId))) throw new ApiError(42014);
    const buttons = listOf(btn, 2);
    for (const { key, name } of buttons) {
      required(key, 42019);
      required(name, 42020);
    }
    if (buttons.length === 0) throw new ApiError(40058, 'btn missing');
    return { text: `[taskcard] ${required(title, 41016)}` };
  },
};

/**
 * Reads the content of a message (protocol §4.2, §5). Throws 40008 for a `msgtype` that this sender has not, 40058 when its
 * object is missing or malformed, 44004 for an empty text, 40007 for an unknown media_id, 45008 for no news or too many,
 * and the codes of §4.13 for a card that is not whole.
 */
export function readContent(message: Fields, sender: Sender): Shown {
  const { msgtype: type } = message;
  const read =
    typeof type === 'string' && sender.types.has(type) && Object.hasOwn(readers, type)
      ? readers[type]
      : undefined;
  if (read === undefined) throw new ApiError(40008, `${type}`);
  return read(readFields(message[`${type}`], `${type} missing`), sender);
}

/** A text as WeCom shows it, cut at so many bytes. */
export function cut(content: string, bytes?: number): Shown {
  const { text, cut: isCut } = cutText(content, bytes);
  return isCut ? { text, cut: true } : { text };
}

function articlesOf({ articles }: Fields): readonly Fields[] {
  if (!Array.isArray(articles) || articles.length < 1 || articles.length > 8) throw new ApiError(45008);
  return articles.map((article) => readFields(article));
}
