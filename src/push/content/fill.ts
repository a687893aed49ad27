import { InputError } from '../../errors.ts';
import type { Content } from './content.ts';
import type { Variables } from './message.ts';
import { fillString, type Place } from './place.ts';

/** The variable that everybody who is sent a message fills by being its receiver. */
export const USERID = 'USERID';

/** How a variable is written, without the `${}` around it. */
export const variableName = /^[A-Z][A-Z0-9_]{0,31}$/;

/** `${NAME}` is one line of words, `${NAME:text}` may have several, `${NAME:url}` is an http or https address, `${NAME:host}` a machine's. */
const PLACE = /\$\{([A-Z][A-Z0-9_]{0,31})(?::(url|text|host))?\}/g;

/**
 * Puts values in the place of each `${NAME}` inside the strings of a template's content, in one pass, each made harmless
 * for where it stands (place.ts): a value brings no link, mark or mention that is not the template's. Keys and numbers stay; a
 * name without a value stays as it was written. Throws an InputError for a value that may not stand there.
 */
export function fill(content: Content, values: Variables): Content {
  return mapStrings(content, (text, key) => {
    const put = (part: string, by: (place: Place) => string): string =>
      part.replace(PLACE, (place, name: string, type: Place['type'], offset: number) =>
        Object.hasOwn(values, name)
          ? by({ name, type, value: `${values[name]}`, before: part.slice(0, offset) })
          : place,
      );
    return fillString(text, key, put);
  }) as Content;
}

/** Throws an InputError that says which place of a template no value may fill, and how it is written instead. */
export function checkPlaces(content: Content): void {
  const samples: Record<string, string> = {};
  mapStrings(content, (text) => {
    const [, odd] = /\$\{([A-Z][A-Z0-9_]{0,31}:(?!(?:url|text|host)\})[^}]*)\}/.exec(text) ?? [];
    if (odd !== undefined)
      throw new InputError(`content: \${${odd}} is of no type; there are :url, :host and :text`);
    for (const [, name = '', type] of text.matchAll(PLACE)) {
      if (type === 'url') samples[name] = 'https://a.example/';
      else samples[name] ??= 'a';
    }
    return text;
  });
  fill(content, samples);
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

function mapStrings(value: unknown, change: (text: string, key: string) => string, key = ''): unknown {
  if (typeof value === 'string') return change(value, key);
  if (Array.isArray(value)) return value.map((each) => mapStrings(each, change, key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, mapStrings(each, change, name)]),
  );
}
