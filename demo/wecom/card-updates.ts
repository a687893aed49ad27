import { randomBytes } from 'node:crypto';
import { ApiError } from './api-error.ts';
import type { Clock } from './app.ts';
import { isInteractive } from './card-check.ts';
import { block, type Fields, optional, readFields, required } from './fields.ts';
import type { History } from './history.ts';
import { readContent, type Sender } from './message-content.ts';
import type { Receivers } from './receivers.ts';
import type { Shown } from './view.ts';

/** What was sent to whom, as it is shown now. */
interface SentCard {
  readonly msgid: string;
  readonly userids: readonly string[];
  readonly shown: Shown;
}

/** Cards of the app that it can change later, each by the code that its sending answered (protocol §4.3). */
export interface CardUpdates {
  /** Remembers a message that was sent; only a card that tells the app of a tap has a code. */
  add(message: Fields, sent: SentCard): { readonly response_code?: string };
  /** Answers message/update_template_card; throws 60140 for a code that was used, is three days old, or none. */
  update(body: Fields): { readonly invaliduser: readonly string[] };
}

const VALID_MS = 72 * 3600 * 1000;
/** Older ones are forgotten, and are invalid then. */
const MOST_KEPT = 100_000;

/** Makes an empty memory. */
export function createCardUpdates(options: {
  readonly history: History;
  readonly sender: Sender;
  readonly findReceivers: (message: Fields) => Receivers;
  readonly clock: Clock;
}): CardUpdates {
  const { history, sender, findReceivers, clock } = options;
  const codes = new Map<string, SentCard & { readonly isNotice: boolean; readonly until: number }>();

  /** What stands there afterwards: the card with its buttons grey, or another card. */
  const changed = ({ button, template_card: card }: Fields, { shown, isNotice }: Named): Shown => {
    // Both, none, and a button of what had none: what WeCom answers to these is not documented.
    if ((button === undefined) === (card === undefined)) throw new ApiError(40058, 'button or template_card');
    if (card === undefined) {
      if (isNotice) throw new ApiError(40058, 'button of a notice');
      return withButton(shown, required(readFields(button).replace_name, 40058));
    }
    const fields = readFields(card);
    // Whether a task_id is needed here is not documented.
    const next = readContent(
      { msgtype: 'template_card', template_card: { task_id: '-', ...fields } },
      sender,
    );
    const text = optional(fields.replace_text);
    return text === '' ? next : withButton(next, text);
  };
  return {
    add: ({ msgtype, template_card }, sent) => {
      if (msgtype !== 'template_card' || !isInteractive(block(template_card))) return {};
      const code = randomBytes(32).toString('base64url');
      const isNotice = /_notice$/.test(optional(block(template_card).card_type));
      codes.set(code, { ...sent, isNotice, until: clock() + VALID_MS });
      const [oldest] = codes.keys();
      if (codes.size > MOST_KEPT && oldest !== undefined) codes.delete(oldest);
      return { response_code: code };
    },
    update: (body) => {
      const code = optional(body.response_code);
      const card = codes.get(code);
      if (card === undefined || clock() >= card.until) throw new ApiError(60140);
      const { userids, invaliduser } =
        body.atall === 1 ? { ...card, invaliduser: '' } : findReceivers(namedIn(body));
      const shown = changed(body, card);
      codes.delete(code);
      history.change(
        card.msgid,
        userids.filter((userid) => card.userids.includes(userid)),
        shown,
      );
      return { invaliduser: invaliduser.split('|').filter((userid) => userid !== '') };
    },
  };
}

type Named = SentCard & { readonly isNotice: boolean };

/** Lists here, where message/send has texts. */
function namedIn({ userids, partyids, tagids }: Fields): Fields {
  const joined = (list: unknown): string =>
    Array.isArray(list) ? list.map(String).join('|') : optional(list);
  return { touser: joined(userids), toparty: joined(partyids), totag: joined(tagids) };
}

function withButton(shown: Shown, name: string): Shown {
  return shown.view?.kind === 'card' ? { ...shown, view: { ...shown.view, buttons: [name] } } : shown;
}
