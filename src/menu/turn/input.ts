import { halfWidth, plainDigits, readNumber } from '../words/numbers.ts';
import { isNamed } from './options.ts';
import { decodeSegment, type Screen } from './session.ts';

/** What answers a screen. `text` is the line in plain ASCII forms; `spelled` says that it was no plain number, such as `一`. */
export type Answer =
  | { readonly kind: 'number'; readonly number: number; readonly text: string; readonly spelled: boolean }
  | { readonly kind: 'text'; readonly text: string };

/** `isKey`: it is one of the keys that the screens and the help name, so it counts whatever a list offers. */
export interface Command {
  readonly kind: CommandName;
  readonly text: string;
  readonly isKey: boolean;
}

/** What a typed line means. */
export type Input =
  | Answer
  | Command
  | { readonly kind: 'jump'; readonly text: string; readonly segments: readonly string[] };

/** The keys that the screens and the help name, by what they do. */
const KEYS = {
  back: ['0', '*', '返回'],
  exit: ['#', '退出'],
  help: ['?', '帮助'],
  next: ['n', '下一页'],
  previous: ['p', '上一页'],
};

/** What people type although no screen names it. An item of the list with such a name comes first. */
const WORDS = {
  back: ['上一步', 'back'],
  exit: ['exit', 'quit'],
  help: ['help'],
  top: ['菜单', '主菜单', '首页', 'menu'],
  cancel: ['取消', 'cancel'],
};

type CommandName = keyof typeof KEYS | keyof typeof WORDS;

/** Words that say no to a preview, and nothing elsewhere. */
const NO: ReadonlySet<string> = new Set(['否', '不', 'no']);

/** In free text `0`, `n`, `p` and all other words are answers; these still go back, leave or help. */
const KEYS_IN_TEXT: ReadonlySet<string> = new Set(['*', '返回', '#', '退出', '?', '帮助']);

const MAX_SEGMENTS = 16;

/** Reads a line once, as the screen it was typed at takes it. */
export function readAt(screen: Screen, typed: string): Input {
  if (screen.kind === 'question') return readFreeText(typed);
  return screen.kind === 'preview' ? readConfirmation(typed) : readInput(typed);
}

/** Whether a line leaves, whatever the user may do and the lists hold by now: that needs no answer from the platform. */
export function isLeaving(screen: Screen, typed: string): boolean {
  const input = readAt(screen, typed);
  return input.kind === 'exit' && (input.isKey || !isNamed(screen, input.text));
}

/** Reads a line typed at a list, a menu or a result. Full-width forms and surrounding spaces are the same as plain ones. */
export function readInput(typed: string): Input {
  const text = halfWidth(typed).trim();
  return readCommand(text) ?? readDashed(text) ?? readSpaced(text) ?? readAnswer(text);
}

/** Reads what answers a menu or a list: one segment of a jump, or a line that is no command. */
export function readAnswer(line: string): Answer {
  const text = halfWidth(line).trim();
  const digits = plainDigits(text);
  const number = readNumber(digits);
  return number === undefined
    ? { kind: 'text', text }
    : { kind: 'number', number, text, spelled: digits !== text };
}

/** The answer to a free-text question as it was typed, unless it is a key that leaves. */
function readFreeText(typed: string): Input {
  const text = halfWidth(typed).trim();
  const command = KEYS_IN_TEXT.has(text) ? readCommand(text) : undefined;
  return command ?? { kind: 'text', text: typed.trim() };
}

/** A preview is confirmed by digits alone, so no other way to write a number is read as one here. */
function readConfirmation(typed: string): Input {
  const text = halfWidth(typed).trim();
  if (NO.has(bareWord(text))) return { kind: 'cancel', text, isKey: false };
  return readCommand(text) ?? readDashed(text) ?? { kind: 'text', text };
}

function readCommand(text: string): Command | undefined {
  const key = meaningOf(text.toLowerCase(), KEYS);
  const word = bareWord(text);
  // `0.` may be the beginning of a number.
  const kind = key ?? (word === '0' ? undefined : (meaningOf(word, KEYS) ?? meaningOf(word, WORDS)));
  return kind && { kind, text, isKey: key !== undefined };
}

/** A word without the spaces in it, and the marks behind it: `取 消。` is `取消`, `??` is `?`. */
function bareWord(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/\s/g, '')
    .replace(/(?<=.)[.。,、!?;:~…]+$/, '');
}

function meaningOf<N extends string>(word: string, words: Readonly<Record<N, string[]>>): N | undefined {
  return (Object.keys(words) as N[]).find((name) => words[name].includes(word));
}

/** `1-1-2`, also with longer dashes, where a later segment may be a name. */
function readDashed(text: string): Input | undefined {
  const segments = text.split(text.includes('-') ? /\s*-\s*/ : /\s*[‐-―−]\s*/);
  // A name may have two dashes in a row.
  const hasEnds = segments[0] !== '' && segments.at(-1) !== '';
  return hasEnds ? readJump(text, segments, segments.slice(0, 1)) : undefined;
}

/** `1 1 2`, also `1、1、2` and one number a line, where every segment is a number. */
function readSpaced(text: string): Input | undefined {
  const segments = text.split(/[\s、]+/);
  return readJump(text, segments, segments);
}

function readJump(text: string, segments: readonly string[], numbers: readonly string[]): Input | undefined {
  if (segments.length < 2 || segments.length > MAX_SEGMENTS) return undefined;
  if (numbers.some((segment) => readNumber(plainDigits(segment)) === undefined)) return undefined;
  return { kind: 'jump', text, segments: segments.map(decodeSegment) };
}
