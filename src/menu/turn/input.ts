import { halfWidth, plainDigits, readNumber } from '../words/numbers.ts';
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

/** Whether a line leaves, whatever the user may do and the lists hold: that needs no answer from the platform. */
export function isLeaving(screen: Screen, typed: string): boolean {
  const input = readAt(screen, typed);
  return input.kind === 'exit' && input.isKey;
}

/** Reads a line typed at a list, a menu or a result. Full-width forms and surrounding spaces are the same as plain ones. */
export function readInput(typed: string): Input {
  const text = halfWidth(typed).trim();
  return readCommand(text) ?? readJump(text, '-') ?? readJump(text, ' ') ?? readAnswer(text);
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
  if (NO.has(text.toLowerCase())) return { kind: 'cancel', text, isKey: false };
  return readCommand(text) ?? readJump(text, '-') ?? { kind: 'text', text };
}

function readCommand(text: string): Command | undefined {
  const word = text.toLowerCase();
  const key = meaningOf(word, KEYS);
  const kind = key ?? meaningOf(word, WORDS);
  return kind && { kind, text, isKey: key !== undefined };
}

function meaningOf<N extends string>(word: string, words: Readonly<Record<N, string[]>>): N | undefined {
  return (Object.keys(words) as N[]).find((name) => words[name].includes(word));
}

/** `1-1-2`, where a later segment may be a name; `1 1 2`, where every segment is a number. */
function readJump(text: string, separator: '-' | ' '): Input | undefined {
  const segments = separator === '-' ? text.split('-') : text.split(/ +/);
  if (segments.length < 2 || segments.length > MAX_SEGMENTS || segments.includes('')) return undefined;
  const numbers = separator === '-' ? segments.slice(0, 1) : segments;
  if (numbers.some((segment) => readNumber(segment) === undefined)) return undefined;
  return { kind: 'jump', text, segments: segments.map(decodeSegment) };
}
