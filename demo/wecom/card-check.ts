import { ApiError, type Errcode } from './api-error.ts';
import { block, type Fields, listOf, optional, required, requiredWithin } from './fields.ts';

const USERID = /^[\da-z][\w\-.@]{0,63}$/i;
const MOST_KEY = 1024;
const MOST_ID = 128;

/** What each kind of card must have, beside what all have (protocol §4.3). */
const kinds: Readonly<Record<string, (card: Fields) => void>> = {
  text_notice: (card) => {
    if (optional(card.sub_title_text) === '') checkTitle(card);
    checkCardAction(card);
  },
  news_notice: (card) => {
    checkTitle(card);
    checkCardAction(card);
    const [image, area] = [block(card.card_image), block(card.image_text_area)];
    // That both may be there is not documented, and not refused.
    if (!optional(image.url) && !optional(area.image_url)) throw new ApiError(42044);
  },
  button_interaction: (card) => {
    checkTitle(card);
    checkButtons(card);
    const selection = block(card.button_selection);
    if (Object.values(selection).some(Boolean)) checkSelection(selection, 10);
  },
  vote_interaction: (card) => {
    checkTitle(card);
    checkSelection(block(card.checkbox), 20);
    checkSubmit(card);
  },
  multiple_interaction: (card) => {
    checkTitle(card);
    const selects = listOf(card.select_list, 3, 42047);
    if (selects.length === 0) throw new ApiError(42047);
    for (const select of selects) checkSelection(select, 10);
    checkSubmit(card);
  },
};

/**
 * Refuses a template_card that WeCom would refuse, with the code of §4.13. What §4.3 gives as advice, such as the length of
 * titles, is not looked at. `hasMedia` tells whether the sender may use a media_id.
 */
export function checkCard(card: Fields, hasMedia: (mediaId: string) => boolean): void {
  const { card_type: type } = card;
  const check = typeof type === 'string' && Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (check === undefined) throw new ApiError(42031);
  check(card);
  checkMenu(card);
  if (isInteractive(card) && !/^[\w@-]{1,128}$/.test(optional(card.task_id))) throw new ApiError(42014);
  for (const row of listOf(card.horizontal_content_list, 6, 42035)) checkRow(row, hasMedia);
  for (const { title } of listOf(card.vertical_content_list, 4, 42036)) required(title, 42033);
  for (const jump of listOf(card.jump_list, 3, 42042)) {
    required(jump.title, 42033);
    checkTarget(jump);
  }
  checkTarget(block(card.quote_area));
}

/** Whether people can press something on it that WeCom tells the app of: then it has a task_id, and gets a response_code (protocol §4.2). */
export function isInteractive(card: Fields): boolean {
  return !/^(text|news)_notice$/.test(`${card.card_type}`) || actionsOf(card).length > 0;
}

function checkTitle(card: Fields): void {
  if (optional(block(card.main_title).title) === '') throw new ApiError(40058, 'main_title.title missing');
}

/** A notice leads somewhere; type 0 is for cards with buttons only. */
function checkCardAction(card: Fields): void {
  const action = block(card.card_action);
  if (action.type !== 1 && action.type !== 2) throw new ApiError(42045);
  checkTarget(action);
}

/** What a tap opens: an address for type 1, a mini program for type 2. */
function checkTarget({ type, url, appid }: Fields): void {
  if (type === 1) required(url, 42028);
  if (type === 2) required(appid, 42030);
}

function actionsOf(card: Fields): readonly Fields[] {
  return listOf(block(card.action_menu).action_list, 3);
}

function checkMenu(card: Fields): void {
  const keys = actionsOf(card).map(({ key }) => requiredWithin(key, MOST_KEY, 42051));
  checkUnique(keys, 42051);
}

function checkButtons(card: Fields): void {
  const buttons = listOf(card.button_list, 6);
  if (buttons.length === 0) throw new ApiError(40058, 'button_list missing');
  for (const { text } of buttons) required(text, 42038);
  const [links, pressed] = [true, false].map((isLink) =>
    buttons.filter(({ type }) => (type === 1) === isLink),
  );
  for (const { url } of links ?? []) required(url, 42028);
  checkUnique(
    (pressed ?? []).map(({ key }) => requiredWithin(key, MOST_KEY, 42039)),
    42039,
  );
}

function checkSelection({ question_key: key, option_list: list }: Fields, most: number): void {
  requiredWithin(key, MOST_KEY, 42043);
  const options = listOf(list, most, 42037);
  if (options.length === 0) throw new ApiError(42037);
  for (const { text } of options) required(text, 42041);
  checkUnique(
    options.map(({ id }) => requiredWithin(id, MOST_ID, 42040)),
    42040,
  );
}

/** Its text may be missing: it is 提交 then. */
function checkSubmit(card: Fields): void {
  requiredWithin(block(card.submit_button).key, MOST_KEY, 42046);
}

function checkRow(row: Fields, hasMedia: (mediaId: string) => boolean): void {
  const { type, keyname, url, media_id: mediaId, userid } = row;
  required(keyname, 42027);
  if (type === 1) required(url, 42028);
  if (type === 2 && !hasMedia(required(mediaId, 42029))) throw new ApiError(40007);
  // Whether the member has to be there is not documented; the form of a userid is (protocol §4.8).
  if (type === 3 && !USERID.test(required(userid, 42050))) throw new ApiError(42050);
}

function checkUnique(keys: readonly string[], errcode: Errcode): void {
  if (new Set(keys).size < keys.length) throw new ApiError(errcode);
}
