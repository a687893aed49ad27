import type { Context } from '../tree/context.ts';
import { Unavailable } from '../tree/context.ts';
import { isChoice, type Option } from '../tree/question.ts';
import { halfWidth } from '../words/numbers.ts';
import { sentences } from '../words/sentences.ts';
import { type Listing, unreadLines } from '../words/text.ts';
import type { Position } from './position.ts';
import type { Pin, Screen } from './session.ts';

const MAX_OPTIONS = 500;
const LABEL_CHARACTERS = 60;

/** The options of a list as they are now. Throws `Unavailable` when there are none. */
export async function loadOptions(position: Position, context: Context): Promise<Listing<Option>> {
  const question = position.asks?.question;
  if (question === undefined || !isChoice(question))
    throw new Error(`${position.node.file} asks no choice here`);
  // `choice` lets nothing but options through; only the tree has forgotten that.
  const options = (await question.load(context, position.answers)) as Listing<Option>;
  if (options.length === 0) {
    const unread = unreadLines(options);
    throw new Unavailable(unread.join('\n') || sentences.nothingToChoose(question.question));
  }
  return options;
}

/** The screen that shows a list, its first page, with what could not be read above it. */
export function choiceScreen(options: Listing<Option>): Extract<Screen, { kind: 'choice' }> {
  const notice = unreadLines(options).join('\n');
  const list = {
    kind: 'choice',
    pins: pinsOf(options),
    more: options.length > MAX_OPTIONS,
    page: 0,
  } as const;
  return notice === '' ? list : { ...list, notice };
}

/** Pins options in the order shown, at most 500. */
export function pinsOf(options: readonly Option[]): readonly Pin[] {
  return options.slice(0, MAX_OPTIONS).map((option) => {
    if (typeof option === 'string') return { key: option, label: oneLine(option) };
    return { key: option.key, label: oneLine(option.label), name: option.name };
  });
}

/** The option that a pin stands for, if it is still there. */
export function findOption(options: readonly Option[], key: string): Option | undefined {
  return options.find((option) => (typeof option === 'string' ? option : option.key) === key);
}

/** The pins that a word (in plain ASCII forms) names exactly: by key, name or label. */
export function pinsNamed(pins: readonly Pin[], word: string): readonly Pin[] {
  return pins.filter((pin) =>
    [pin.key, pin.name, pin.label].some((name) => name && halfWidth(name).trim() === word),
  );
}

/** Whether a word (in plain ASCII forms) is the name of a line that the screen shows. */
export function isNamed(screen: Screen, word: string): boolean {
  return screen.kind === 'choice' && pinsNamed(screen.pins, word).length > 0;
}

function oneLine(label: string): string {
  const characters = [...label.replaceAll(/\s*[\r\n]+\s*/g, ' ')];
  if (characters.length <= LABEL_CHARACTERS) return characters.join('');
  return `${characters.slice(0, LABEL_CHARACTERS - 1).join('')}…`;
}
