import { decodeSegment } from './session.ts';

/** What a typed line can mean outside a free-text question. */
export type Input =
  | { readonly kind: 'back' | 'exit' | 'help' | 'next' | 'previous' }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'jump'; readonly segments: readonly string[] }
  | { readonly kind: 'text'; readonly text: string };

type Command = 'back' | 'exit' | 'help' | 'next' | 'previous';

const COMMANDS: Readonly<Record<string, Command>> = {
  '0': 'back',
  返回: 'back',
  '#': 'exit',
  退出: 'exit',
  '?': 'help',
  帮助: 'help',
  n: 'next',
  下一页: 'next',
  p: 'previous',
  上一页: 'previous',
};

/** In free text `0`, `n` and `p` are answers; these still leave or help. */
const COMMANDS_IN_TEXT: ReadonlySet<string> = new Set(['返回', '#', '退出', '?', '帮助']);

const MAX_SEGMENTS = 16;

/** Reads a line typed at a list or menu. Full-width forms and surrounding spaces are the same as plain ones. */
export function readInput(typed: string): Input {
  const line = halfWidth(typed).trim();
  const command = COMMANDS[line.toLowerCase()];
  if (command !== undefined) return { kind: command };
  const number = readNumber(line);
  if (number !== undefined) return { kind: 'number', number };
  const segments = line.split('-');
  if (
    segments.length > 1 &&
    segments.length <= MAX_SEGMENTS &&
    segments.every((s) => s !== '') &&
    isDigits(segments[0])
  ) {
    return { kind: 'jump', segments: segments.map(decodeSegment) };
  }
  return { kind: 'text', text: line };
}

/** Reads a line typed at a free-text question: the answer as it was typed, unless it is a word that leaves. */
export function readFreeText(typed: string): Input {
  const line = halfWidth(typed).trim();
  const command = COMMANDS_IN_TEXT.has(line) ? COMMANDS[line] : undefined;
  return command === undefined ? { kind: 'text', text: typed.trim() } : { kind: command };
}

/** The number 1–9999 that a line is, in plain ASCII digits without a leading zero. */
export function readNumber(line: string): number | undefined {
  return /^[1-9][0-9]{0,3}$/.test(line) ? Number(line) : undefined;
}

/** Maps the full-width forms of ASCII (U+FF01–FF5E) and the ideographic space to plain ones. Nothing else changes. */
export function halfWidth(line: string): string {
  return line
    .replaceAll(/[！-～]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0))
    .replaceAll('　', ' ');
}

function isDigits(segment: string | undefined): boolean {
  return segment !== undefined && readNumber(segment) !== undefined;
}
