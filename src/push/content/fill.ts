import type { Content } from './content.ts';
import type { Variables } from './message.ts';

/** The variable that everybody who is sent a message fills by being its receiver. */
export const USERID = 'USERID';

/** How a variable is written, without the `${}` around it. */
export const variableName = /^[A-Z][A-Z0-9_]{0,31}$/;

const PLACE = /\$\{([A-Z][A-Z0-9_]{0,31})\}/g;

/**
 * Puts values in the place of each `${NAME}` inside the strings of a template's content, in one pass: a value arrives
 * as it is, whatever it holds. Keys and numbers stay; a name without a value stays as it was written.
 */
export function fill(content: Content, values: Variables): Content {
  return mapStrings(content, (text) =>
    text.replace(PLACE, (place, name: string) => (Object.hasOwn(values, name) ? `${values[name]}` : place)),
  ) as Content;
}

/** The names that stand as `${NAME}` inside the strings of a template's content. */
export function namesIn(content: Content): ReadonlySet<string> {
  const names = new Set<string>();
  mapStrings(content, (text) => {
    for (const [, name = ''] of text.matchAll(PLACE)) names.add(name);
    return text;
  });
  return names;
}

/** A text without its `${NAME}`s: the least that will be left of it. */
export function withoutPlaces(text: string): string {
  return text.replace(PLACE, '');
}

function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((each) => mapStrings(each, change));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, mapStrings(each, change)]));
}
