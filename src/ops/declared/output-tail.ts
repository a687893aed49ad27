import { StringDecoder } from 'node:string_decoder';
import { stripVTControlCharacters } from 'node:util';
import { hideAssigned } from '../assigned-secrets.ts';

/** More than is shown of one line, so that no secret is cut in two before it is hidden. */
const LOOKED_AT = 8000;
const SHOWN = 500;

/** The last lines of what a program writes, in little memory however much that is. */
export type OutputTail = ReturnType<typeof createOutputTail>;

/**
 * Keeps the last `most` lines of some streams, each cut, without colours, and without what `hide` and the words before
 * a secret tell. What is no UTF-8 is shown as such.
 */
export function createOutputTail(most: number, hide: (line: string) => string) {
  const kept: string[] = [];
  let count = 0;
  const cut = (line: string): string => {
    const shown = [...hideAssigned(hide(stripVTControlCharacters(line))).trimEnd()];
    return shown.length <= SHOWN ? shown.join('') : `${shown.slice(0, SHOWN - 1).join('')}…`;
  };
  const keep = (line: string): void => {
    if (line.trim() === '') return;
    count += 1;
    kept.push(cut(line));
    if (kept.length > most) kept.shift();
  };
  return {
    /** Makes what takes the chunks of one stream; called without one at its end. */
    stream() {
      const decoder = new StringDecoder('utf8');
      let open = '';
      return (chunk?: Buffer): void => {
        const text = open + (chunk === undefined ? decoder.end() : decoder.write(chunk));
        // A carriage return alone is how a bar of progress writes over itself.
        const lines = text.split(/\r\n|\n|\r(?!$)/);
        open = (lines.pop() ?? '').slice(0, LOOKED_AT);
        // Of a chunk with more lines than are kept, the others need no look.
        count += Math.max(0, lines.length - most);
        for (const line of lines.slice(-most)) keep(line.slice(0, LOOKED_AT));
        if (chunk === undefined) keep(open.replace(/\r$/, ''));
      };
    },
    lines: (): readonly string[] => [...kept],
    /** How many lines there were before these. */
    before: (): number => count - kept.length,
  };
}
