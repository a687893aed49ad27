import type { Context } from '../tree/context.ts';
import { type FreeText, isChoice, isProblem, type Option } from '../tree/question.ts';
import { plainDigits } from '../words/numbers.ts';
import { sentences } from '../words/sentences.ts';
import { clip, type Listing, unreadLines } from '../words/text.ts';
import type { Answer } from './input.ts';
import { findOption, loadOptions, pinsNamed, pinsOf } from './options.ts';
import { type Position, stepFrom } from './position.ts';
import type { Refused } from './screen.ts';
import type { Pin, Step } from './session.ts';

/** What a name may take of a sentence. */
const NAME_BYTES = 60;

/** Why an answer leads nowhere; `fresh` is the list to show instead of one that changed, `refused` an entry that is hidden. */
interface Wrong {
  readonly problem: string;
  readonly fresh?: Listing<Option>;
  readonly refused?: Refused;
}

/**
 * Resolves one answer at a position: where it leads, or why not. `pins` is the list the user looked at; without it (in a
 * jump) a number means the list as it is now. An entry that its user may not see is answered like one that is not there.
 * An option is loaded again before it is taken, so what is gone or no longer allowed is not chosen.
 */
export async function resolve(
  position: Position,
  answer: Answer,
  context: Context,
  pins?: readonly Pin[],
): Promise<Position | Wrong> {
  const found = await findStep(position, answer, context, pins);
  if ('problem' in found) return found;
  const next = stepFrom(position, found, context);
  if (next !== undefined) return next;
  const hidden = found.kind === 'entry' ? position.node.children.get(found.number) : undefined;
  const refused = hidden && { refused: { kind: 'hidden', at: hidden.file } as const };
  return { problem: wrongAnswer(answer), ...refused };
}

async function findStep(
  position: Position,
  answer: Answer,
  context: Context,
  pins?: readonly Pin[],
): Promise<Step | Wrong> {
  const question = position.asks?.question;
  if (question !== undefined) {
    return isChoice(question) ? pick(position, answer, context, pins) : parse(question, answer);
  }
  if (answer.kind === 'text') return { problem: wrongAnswer(answer) };
  return { kind: 'entry', typed: `${answer.number}`, number: answer.number };
}

/** The path keeps a number in plain digits, however it was typed, and free text as it was typed. */
async function parse(question: FreeText<unknown>, { text }: Answer): Promise<Step | Wrong> {
  const value = await read(question, text);
  if (isProblem(value)) return value;
  const digits = plainDigits(text);
  const typed = typeof value === 'number' || value === digits ? digits : text;
  return { kind: 'answer', typed, value, label: String(value) };
}

/** A number may be written in any way, unless the question takes the line as it stands; `00` is zero wherever 0 is. */
async function read(question: FreeText<unknown>, text: string): Promise<unknown> {
  const value = await question.parse(text);
  const digits = plainDigits(text);
  return isProblem(value) ? question.parse(digits === '00' ? '0' : digits) : value;
}

/** How zero is typed at a question that wants digits, where 0 may mean back; undefined at one that takes any text. */
export async function zeroAt({ asks }: Position): Promise<'00' | '零' | undefined> {
  const question = asks?.question;
  if (question === undefined || isChoice(question)) return undefined;
  if (!isProblem(await question.parse('a'))) return undefined;
  const isSame = JSON.stringify(await read(question, '00')) === JSON.stringify(await read(question, '0'));
  return isSame ? '00' : '零';
}

async function pick(
  position: Position,
  answer: Answer,
  context: Context,
  pins?: readonly Pin[],
): Promise<Step | Wrong> {
  // A wrong number costs no call to the platform.
  const seen = pins && pinMeant(pins, answer);
  if (seen && 'problem' in seen) return seen;
  const options = await loadOptions(position, context);
  const meant = seen ?? pinMeant(pinsOf(options), answer);
  if ('problem' in meant) return { problem: [meant.problem, ...unreadLines(options)].join('\n') };
  const { pin, typed } = meant;
  const option = findOption(options, pin.key);
  if (option === undefined) {
    // What stands where nothing could be read may still be there.
    const missing = options.unread === undefined ? sentences.gone : sentences.notSeen;
    return { problem: missing(clip(pin.label, NAME_BYTES)), fresh: options };
  }
  const label = typeof option === 'string' ? option : (option.name ?? option.label);
  return { kind: 'answer', typed, value: option, label };
}

/**
 * The one line of a list that an answer means. Digits are the number of a line, and a name only where the list has no
 * line of that number; a number written otherwise, such as `一`, may be the number of one line and the name of another.
 */
function pinMeant(pins: readonly Pin[], answer: Answer): { pin: Pin; typed: string } | Wrong {
  const number = answer.kind === 'number' ? answer.number : 0;
  const numbered = pins[number - 1];
  const isPlain = answer.kind === 'number' && !answer.spelled;
  const named = numbered && isPlain ? [] : pinsNamed(pins, answer.text).filter((pin) => pin !== numbered);
  const [pin, ...others] = numbered === undefined ? named : [numbered, ...named];
  if (pin === undefined) return { problem: wrongAnswer(answer) };
  if (others.length > 0) return { problem: sentences.ambiguous(answer.text) };
  return { pin, typed: pin === numbered ? `${number}` : answer.text };
}

function wrongAnswer(answer: Answer): string {
  return answer.kind === 'number' ? sentences.noSuchNumber(answer.number) : sentences.notANumber;
}
