import * as z from 'zod';
import type { Texts } from './text-schema.ts';

/** A list of at least one and at most `max`. */
const upTo = <T extends z.ZodType>(max: number, item: T) => z.array(item).min(1).max(max);

/** A card of WeCom (§4.3): its blocks by their names there. Only limits in bytes and counts are WeCom's; other lengths are advice. */
export function cardSchema({ bytes, like, url }: Texts): z.ZodType<Readonly<Record<string, unknown>>> {
  const line = bytes(1024);
  const key = bytes(1024);
  const jump = { url: url.optional(), appid: bytes(128).optional(), pagepath: bytes(1024).optional() };
  const oneOf = (...values: readonly number[]) => z.literal([...values]);
  const area = { type: oneOf(0, 1, 2).optional(), ...jump, title: line.optional() };
  const option = z.strictObject({ id: bytes(128), text: line, is_checked: z.boolean().optional() });
  const selection = (max: number) => ({
    question_key: key,
    title: line.optional(),
    option_list: upTo(max, option),
    selected_id: bytes(128).optional(),
    disable: z.boolean().optional(),
  });
  const title = z.strictObject({ title: line.optional(), desc: line.optional() });
  const headed = z.strictObject({ title: line, desc: line.optional() });
  const taskId = like(/^[\w@-]+$/, 128, 'must be made of letters, digits and _ - @');
  const horizontal = z.strictObject({
    keyname: line,
    value: line.optional(),
    type: oneOf(0, 1, 2, 3).optional(),
    url: url.optional(),
    media_id: bytes(512).optional(),
    userid: bytes(64).optional(),
  });
  const source = z.strictObject({
    icon_url: url.optional(),
    desc: line.optional(),
    desc_color: oneOf(0, 1, 2, 3).optional(),
  });
  const action = z.strictObject({ text: line, key });
  const head = { source: source.optional(), task_id: taskId.optional() };
  const notice = {
    ...head,
    action_menu: z.strictObject({ desc: line.optional(), action_list: upTo(3, action) }).optional(),
    quote_area: z.strictObject({ ...area, quote_text: line.optional() }).optional(),
    horizontal_content_list: z.array(horizontal).max(6).optional(),
  };
  const shown = {
    ...notice,
    jump_list: z
      .array(z.strictObject({ ...area, title: line }))
      .max(3)
      .optional(),
    card_action: z.strictObject({ type: oneOf(1, 2), ...jump }),
  };
  const answered = {
    ...head,
    task_id: taskId,
    main_title: headed,
    submit_button: z.strictObject({ text: line.optional(), key }),
  };
  const button = z.strictObject({
    type: oneOf(0, 1).optional(),
    text: line,
    style: oneOf(1, 2, 3, 4).optional(),
    key: key.optional(),
    url: url.optional(),
  });
  const kinds = z.discriminatedUnion('card_type', [
    z.strictObject({
      card_type: z.literal('text_notice'),
      ...shown,
      main_title: title.optional(),
      emphasis_content: title.optional(),
      sub_title_text: line.optional(),
    }),
    z.strictObject({
      card_type: z.literal('news_notice'),
      ...shown,
      main_title: headed,
      image_text_area: z.strictObject({ ...area, desc: line.optional(), image_url: url }).optional(),
      card_image: z.strictObject({ url, aspect_ratio: z.number().min(1.3).max(2.25).optional() }).optional(),
      vertical_content_list: z.array(headed).max(4).optional(),
    }),
    z.strictObject({
      card_type: z.literal('button_interaction'),
      ...notice,
      task_id: taskId,
      main_title: headed,
      sub_title_text: line.optional(),
      card_action: z.strictObject({ type: oneOf(0, 1, 2).optional(), ...jump }).optional(),
      button_selection: z.strictObject(selection(10)).optional(),
      button_list: upTo(6, button),
    }),
    z.strictObject({
      card_type: z.literal('vote_interaction'),
      ...answered,
      checkbox: z.strictObject({
        question_key: key,
        option_list: upTo(20, option),
        mode: oneOf(0, 1).optional(),
        disable: z.boolean().optional(),
      }),
    }),
    z.strictObject({
      card_type: z.literal('multiple_interaction'),
      ...answered,
      select_list: upTo(3, z.strictObject(selection(10))),
    }),
  ]);
  return kinds.superRefine((card, ctx) => {
    for (const problem of problemsOf(card)) ctx.addIssue({ code: 'custom', message: problem });
  });
}

type Blocks = Readonly<Record<string, unknown>>;

/** What blocks must have together (§4.3). */
function* problemsOf(card: Blocks): Generator<string> {
  if ('action_menu' in card && card.task_id === undefined) yield 'must have a task_id for its action_menu';
  if (card.card_type === 'text_notice') {
    const { title } = (card.main_title ?? {}) as Blocks;
    if (title === undefined && card.sub_title_text === undefined) {
      yield 'must have main_title.title or sub_title_text';
    }
  }
  if (card.card_type === 'news_notice' && !('image_text_area' in card) && !('card_image' in card)) {
    yield 'must have card_image or image_text_area';
  }
  for (const { type = 0, key, url } of (card.button_list ?? []) as Blocks[]) {
    if (type === 0 && key === undefined) yield 'must give each button of type 0 a key';
    if (type === 1 && url === undefined) yield 'must give each button of type 1 a url';
  }
}
