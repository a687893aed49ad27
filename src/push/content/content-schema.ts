import * as z from 'zod';
import { InputError } from '../../errors.ts';
import { USERID_OR_ALL } from '../../wecom/userid.ts';
import { cardSchema } from './card-schema.ts';
import { type Content, kindOf } from './content.ts';
import type { ReceiverKind } from './message.ts';
import { readValue } from './read-value.ts';
import { createTexts, type Form } from './text-schema.ts';

/** A longer text is split (§4.2), so this bounds how many messages one becomes: ten. */
export const MAX_TEXT_BYTES = 20_480;
/** Bytes of a markdown to members and groups (§4.2), and to robots (§5). */
export const MAX_MARKDOWN = { app: 2048, robot: 4096 };
const MAX_USERIDS = 1000;

/** The kinds of content that are written down in JSON, that is all but media. */
const writtenKinds = ['text', 'markdown', 'textcard', 'news', 'templateCard'] as const;

/** The fields of a content by their names in the API, each with its limits (§4.2, §4.3, §5). */
export function contentFields(form: Form) {
  const texts = createTexts(form);
  const { bytes, chars, url, like } = texts;
  const userids = z
    .array(like(USERID_OR_ALL, 64, 'must be a userid or @all'))
    .min(1)
    .max(MAX_USERIDS);
  const article = z.strictObject({
    title: bytes(128),
    description: bytes(512).optional(),
    url,
    picurl: url.optional(),
  });
  return {
    text: bytes(MAX_TEXT_BYTES),
    markdown: bytes(MAX_MARKDOWN.robot),
    textcard: z.strictObject({
      title: chars(128),
      description: chars(512),
      url,
      btntxt: chars(4).optional(),
    }),
    news: z.strictObject({ articles: z.array(article).min(1).max(8) }),
    templateCard: cardSchema(texts),
    mentioned: userids,
    plainTextFor: z.union([z.literal('all'), userids]),
  };
}

/** A refinement: exactly one of `kinds` is there, `mentioned` only beside text, `plainTextFor` only beside markdown. */
export function oneKind(kinds: readonly string[]) {
  return (value: Readonly<Record<string, unknown>>, ctx: z.RefinementCtx): void => {
    const refuse = (message: string) => ctx.addIssue({ code: 'custom', message });
    if (kinds.filter((kind) => value[kind] !== undefined).length !== 1) {
      refuse(`must have exactly one of ${kinds.join(', ')}`);
    }
    for (const [field, kind] of Object.entries({ mentioned: 'text', plainTextFor: 'markdown' })) {
      const isAlone = value[kind] === undefined && value.template === undefined;
      if (value[field] !== undefined && isAlone) refuse(`may have ${field} only beside ${kind}`);
    }
  };
}

function schemaOf(all: ReturnType<typeof contentFields>): z.ZodType<Content> {
  const open = z.strictObject(all).partial().superRefine(oneKind(writtenKinds));
  return open as unknown as z.ZodType<Content>;
}

/** A content that is sent as it stands; media are not among it. */
export const contentSchema = schemaOf(contentFields('literal'));

/** A content that is filled first: what a `${NAME}` leaves open is not checked yet. */
export const templateContentSchema = schemaOf(contentFields('template'));

/**
 * Checks a content, filled if it is a template's, against what WeCom takes for these kinds of receivers. Throws an
 * InputError of one sentence. That media are kept, and how large they are, is not checked here.
 */
export function checkContent(content: Content, kinds: readonly ReceiverKind[]): void {
  const kind = kindOf(content);
  if (kind !== 'image' && kind !== 'file') readValue(contentSchema, content, 'the content');
  const robots = kinds.includes('robot');
  const refuse = (problem: string): never => {
    throw new InputError(problem);
  };
  if ('markdown' in content && kinds.some((each) => each !== 'robot')) {
    const { app } = MAX_MARKDOWN;
    if (Buffer.byteLength(content.markdown) > app) refuse(`markdown: must be at most ${app} bytes of UTF-8`);
  }
  if ('textcard' in content && robots) refuse('textcard: robots cannot send it; use news or templateCard');
  if ('mentioned' in content && !robots && !kinds.includes('chat')) {
    refuse('mentioned: works in chats and through robots only; leave it out for other receivers');
  }
  if (!('templateCard' in content)) return;
  if (kinds.includes('chat')) refuse('templateCard: chats cannot show it; use textcard or news');
  if (robots && !isNotice(content.templateCard)) {
    refuse(
      'templateCard: robots send only the card types text_notice and news_notice, without an action_menu',
    );
  }
}

/** Whether nothing on it can be answered. */
function isNotice({ card_type: type, action_menu: menu }: Readonly<Record<string, unknown>>): boolean {
  return (type === 'text_notice' || type === 'news_notice') && menu === undefined;
}
