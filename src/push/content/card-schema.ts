import * as z from 'zod';
import { InputError } from '../../errors.ts';
import { USERID } from '../../wecom/userid.ts';
import type { Content } from './content.ts';
import { namesIn } from './fill.ts';
import type { Texts } from './text-schema.ts';

type Blocks = Readonly<Record<string, unknown>>;

/** A list of at least one and at most `max`. */
const upTo = <T extends z.ZodType>(max: number, item: T) => z.array(item).min(1).max(max);

/** A list like that, in which no two items have the same text under `field`: taps are told apart by it (§4.3). */
const eachOnce = <T extends z.ZodType<Blocks>>(max: number, field: string, item: T) =>
  upTo(max, item).superRefine((list, ctx) => {
    const texts = list.map((each) => each[field]);
    const index = texts.findIndex((text, at) => text !== undefined && texts.indexOf(text) < at);
    if (index < 0) return;
    const message = `is that of another item too; give each its own ${field}`;
    ctx.addIssue({ code: 'custom', path: [index, field], message });
  });

/** A block that has, for its `type`, the field that the type cannot be without (§4.3). */
const leading = <T extends z.ZodType<Blocks>>(needs: Readonly<Record<number, string>>, block: T) =>
  block.superRefine(({ type = 0, ...given }, ctx) => {
    const field = needs[Number(type)];
    if (field === undefined || given[field] !== undefined) return;
    ctx.addIssue({ code: 'custom', path: [field], message: `is missing; type ${type} needs it` });
  });

/** What a tap opens: an address, or a mini program. */
const TARGETS = { 1: 'url', 2: 'appid' };

/** A card of WeCom (§4.3): its blocks by their names there. Only limits in bytes and counts are WeCom's; other lengths are advice. */
export function cardSchema({ bytes, like, url }: Texts): z.ZodType<Readonly<Record<string, unknown>>> {
  const line = bytes(1024);
  const key = bytes(1024);
  const jump = { url: url.optional(), appid: bytes(128).optional(), pagepath: bytes(1024).optional() };
  const oneOf = (...values: readonly number[]) => z.literal([...values]);
  const area = <T extends z.ZodRawShape>(more: T) =>
    leading(TARGETS, z.strictObject({ type: oneOf(0, 1, 2).optional(), ...jump, ...more }));
  const option = z.strictObject({ id: bytes(128), text: line, is_checked: z.boolean().optional() });
  const selection = (max: number) => ({
    question_key: key,
    title: line.optional(),
    option_list: eachOnce(max, 'id', option),
    selected_id: bytes(128).optional(),
    disable: z.boolean().optional(),
  });
  const title = z.strictObject({ title: line.optional(), desc: line.optional() });
  const headed = z.strictObject({ title: line, desc: line.optional() });
  const taskId = like(/^[\w@-]+$/, 128, 'must be made of letters, digits and _ - @');
  const horizontal = leading(
    { 1: 'url', 2: 'media_id', 3: 'userid' },
    z.strictObject({
      keyname: line,
      value: line.optional(),
      type: oneOf(0, 1, 2, 3).optional(),
      url: url.optional(),
      media_id: bytes(512).optional(),
      userid: like(USERID, 64, 'must be a userid').optional(),
    }),
  );
  const source = z.strictObject({
    icon_url: url.optional(),
    desc: line.optional(),
    desc_color: oneOf(0, 1, 2, 3).optional(),
  });
  const action = z.strictObject({ text: line, key });
  const head = { source: source.optional(), task_id: taskId.optional() };
  const notice = {
    ...head,
    action_menu: z
      .strictObject({ desc: line.optional(), action_list: eachOnce(3, 'key', action) })
      .optional(),
    quote_area: area({ title: line.optional(), quote_text: line.optional() }).optional(),
    horizontal_content_list: z.array(horizontal).max(6).optional(),
  };
  const shown = {
    ...notice,
    jump_list: z
      .array(area({ title: line }))
      .max(3)
      .optional(),
    card_action: leading(TARGETS, z.strictObject({ type: oneOf(1, 2), ...jump })),
  };
  const answered = {
    ...head,
    task_id: taskId,
    main_title: headed,
    submit_button: z.strictObject({ text: line.optional(), key }),
  };
  const button = leading(
    { 0: 'key', 1: 'url' },
    z.strictObject({
      type: oneOf(0, 1).optional(),
      text: line,
      style: oneOf(1, 2, 3, 4).optional(),
      key: key.optional(),
      url: url.optional(),
    }),
  );
  const card = <Type extends string, T extends z.ZodRawShape>(type: Type, blocks: T) =>
    z.strictObject({ card_type: z.literal(type), ...blocks });
  const kinds = z.discriminatedUnion('card_type', [
    card('text_notice', {
      ...shown,
      main_title: title.optional(),
      emphasis_content: title.optional(),
      sub_title_text: line.optional(),
    }),
    card('news_notice', {
      ...shown,
      main_title: headed,
      image_text_area: area({ title: line.optional(), desc: line.optional(), image_url: url }).optional(),
      card_image: z.strictObject({ url, aspect_ratio: z.number().min(1.3).max(2.25).optional() }).optional(),
      vertical_content_list: z.array(headed).max(4).optional(),
    }),
    card('button_interaction', {
      ...notice,
      task_id: taskId,
      main_title: headed,
      sub_title_text: line.optional(),
      card_action: area({}).optional(),
      button_selection: z.strictObject(selection(10)).optional(),
      button_list: eachOnce(6, 'key', button),
    }),
    card('vote_interaction', {
      ...answered,
      checkbox: z.strictObject({
        question_key: key,
        option_list: eachOnce(20, 'id', option),
        mode: oneOf(0, 1).optional(),
        disable: z.boolean().optional(),
      }),
    }),
    card('multiple_interaction', { ...answered, select_list: upTo(3, z.strictObject(selection(10))) }),
  ]);
  return kinds.superRefine((card, ctx) => {
    for (const problem of problemsOf(card)) ctx.addIssue({ code: 'custom', message: problem });
  });
}

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
}

/**
 * Checks the task_id of a card for several receivers, who may need several calls: WeCom takes each once (§4.3). `own` names
 * the values that each receiver has of its own. Throws an InputError where the task_id would be the same in several calls.
 */
export function checkTaskId(content: Content, own: readonly string[]): void {
  const { task_id: taskId } = 'templateCard' in content ? content.templateCard : {};
  if (typeof taskId !== 'string' || own.some((name) => namesIn({ text: taskId }).has(name))) return;
  throw new InputError(
    `templateCard.task_id: WeCom takes each once; send the card to one receiver, or once to each through a template whose task_id holds what each has of its own, such as \${USERID}`,
  );
}
