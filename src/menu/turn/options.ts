import { onOneLine } from '../../plain-text.ts';
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
  const pinned = options.slice(0, MAX_OPTIONS);
  const labels = labelsOf(pinned.map((option) => (typeof option === 'string' ? option : option.label)));
  return pinned.map((option, index) => {
    const label = labels[index] as string;
    return typeof option === 'string'
      ? { key: option, label }
      : { key: option.key, label, name: option.name };
  });
}

/** The option that a pin stands for, if it is still there. */
export function findOption(options: readonly Option[], key: string): Option | undefined {
  return options.find((option) => (typeof option === 'string' ? option : option.key) === key);
}

/**
 * The pins that a word (in plain ASCII forms) names by key, name or label: exactly, or else but for capitals and the kind
 * of its dashes, which the keyboards of phones change.
 */
export function pinsNamed(pins: readonly Pin[], word: string): readonly Pin[] {
  const named = (spell: (name: string) => string): readonly Pin[] =>
    pins.filter((pin) =>
      [pin.key, pin.name, pin.label].some((name) => name && spell(halfWidth(name).trim()) === spell(word)),
    );
  const exactly = named((name) => name);
  return exactly.length > 0 ? exactly : named((name) => name.toLowerCase().replaceAll(/[‐-―−]/g, '-'));
}

/** Whether a word (in plain ASCII forms) is the name of a line that the screen shows. */
export function isNamed(screen: Screen, word: string): boolean {
  return screen.kind === 'choice' && pinsNamed(screen.pins, word).length > 0;
}

/** Each label on one line of at most 60 characters; those that would look alike then are shown whole. */
function labelsOf(labels: readonly string[]): readonly string[] {
  const lines = labels.map(onOneLine);
  const short = lines.map(shortOf);
  const times = new Map<string, number>();
  for (const label of short) times.set(label, (times.get(label) ?? 0) + 1);
  return short.map((label, index) => (times.get(label) === 1 ? label : (lines[index] as string)));
}

/** What is too long is cut in its middle: names often differ at their end, and behind them stands their state. */
function shortOf(label: string): string {
  const characters = [...label];
  if (characters.length <= LABEL_CHARACTERS) return label;
  const start = characters.slice(0, LABEL_CHARACTERS / 2 - 1);
  return `${start.join('')}…${characters.slice(-LABEL_CHARACTERS / 2).join('')}`;
}
