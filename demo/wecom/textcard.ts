import type { Line } from './view.ts';

const LINE = /<div class="(gray|normal|highlight)">([\s\S]*?)<\/div>/;

/** The lines of a textcard's description: `<div class="gray|normal|highlight">` and `<br>` (protocol §4.2); no other tag is known. */
export function readDescription(description: string): readonly Line[] {
  const lines: Line[] = [];
  // With two groups, split gives: text, tone, text inside, text, tone, …
  const pieces = description.split(new RegExp(LINE, 'g'));
  for (let at = 0; at < pieces.length; at += 3) {
    lines.push(...linesOf(pieces[at] ?? ''));
    const tone = pieces[at + 1] as Line['tone'];
    if (tone) lines.push(...linesOf(pieces[at + 2] ?? '').map((line) => ({ ...line, tone })));
  }
  return lines;
}

function linesOf(text: string): readonly Line[] {
  const parts = text.split(/<br\s*\/?>|\n/).map((part) => part.trim());
  return parts.filter((part) => part !== '').map((part) => ({ text: part }));
}
