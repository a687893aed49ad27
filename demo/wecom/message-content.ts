import { ApiError } from './api-error.ts';
import { type Fields, optional, readFields, required } from './fields.ts';
import { readTemplateCard } from './template-card.ts';
import { readDescription } from './textcard.ts';
import type { Uploads } from './uploads.ts';
import { cutText, type Shown } from './view.ts';

/** Whose uploads a message may use (a robot's name, or null), and how long its markdown may be in bytes. */
export interface Sender {
  readonly uploads: Uploads;
  readonly owner: string | null;
  readonly markdownBytes: number;
}

/** Where the phone's server gives out what was uploaded. */
export const MEDIA_PATH = '/api/media/';

const readers: Readonly<Record<string, (body: Fields, sender: Sender) => Shown>> = {
  text: ({ content }) => cut(required(content)),
  markdown: ({ content }, { markdownBytes }) => ({
    ...cut(required(content), markdownBytes),
    view: { kind: 'markdown' },
  }),
  textcard: (body) => {
    const [title, description, url] = [body.title, body.description, body.url].map(required) as [
      string,
      string,
      string,
    ];
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
  file: ({ media_id: id }, { uploads, owner }) => {
    const { name, bytes } = uploads.find(id, 'file', owner);
    const view = { kind: 'file', name, bytes: bytes.length, src: `${MEDIA_PATH}${id}` } as const;
    return { text: `[file] ${name}`, view };
  },
  news: ({ articles }) => {
    if (!Array.isArray(articles) || articles.length < 1 || articles.length > 8) throw new ApiError(45008);
    const shown = articles.map(readFields).map(({ title, description, url }) => ({
      title: required(title),
      description: optional(description),
      url: required(url),
    }));
    const text = shown.map((article) => `${article.title}\n${article.url}`).join('\n');
    return { text, view: { kind: 'news', articles: shown } };
  },
  template_card: readTemplateCard,
};

/** Types that WeCom takes and that are shown here by their name only. */
const others = new Set(['voice', 'video', 'mpnews', 'miniprogram_notice', 'taskcard', 'markdown_v2']);

/**
 * Reads the content of a message (protocol §4.2, §5). Throws 40008 for an unknown `msgtype`, 40058 when its object is
 * missing or malformed, 44004 for an empty text, 40007 for an unknown media_id, 45008 for no news or too many.
 */
export function readContent(message: Fields, sender: Sender): Shown {
  const type = message.msgtype;
  if (typeof type !== 'string') throw new ApiError(40008);
  const read = Object.hasOwn(readers, type) ? readers[type] : undefined;
  if (read === undefined && !others.has(type)) throw new ApiError(40008, type);
  const body = readFields(message[type], `${type} missing`);
  return read?.(body, sender) ?? { text: `[${type}]` };
}

function cut(content: string, bytes?: number): Shown {
  const { text, cut: isCut } = cutText(content, bytes);
  return isCut ? { text, cut: true } : { text };
}
