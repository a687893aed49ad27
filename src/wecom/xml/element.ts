import { InputError } from '../../errors.ts';

/** What an element holds by name, in order: texts, or elements of their own. */
export type XmlElement = ReadonlyMap<string, readonly XmlNode[]>;
export type XmlNode = string | XmlElement;

/** The text of a child; empty when it is missing. Throws {@link InputError} when it occurs twice or is no text. */
export function text(element: XmlElement, name: string): string {
  const [value = '', second] = element.get(name) ?? [];
  if (typeof value !== 'string' || second !== undefined)
    throw new InputError(`<${name}> occurs twice or is no plain text`);
  return value;
}

/** The text of a child that may be anything; empty when it is missing, occurs twice or is no text. */
export function textIfPlain(element: XmlElement, name: string): string {
  const [value, second] = element.get(name) ?? [];
  return typeof value === 'string' && second === undefined ? value : '';
}

/** The child as a whole number of at most 15 digits; null when it is none, as AgentID may be empty (§2.1). */
export function wholeNumber(element: XmlElement, name: string): number | null {
  const value = textIfPlain(element, name);
  return /^-?\d{1,15}$/.test(value) ? Number(value) : null;
}
