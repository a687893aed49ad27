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

/** The child as a whole number of at most 15 digits; null when it is missing or empty, as AgentID may be (§2.1). */
export function optionalInteger(element: XmlElement, name: string): number | null {
  const value = text(element, name);
  if (value === '') return null;
  if (!/^-?\d{1,15}$/.test(value)) throw new InputError(`<${name}> is not a whole number`);
  return Number(value);
}

/** As {@link optionalInteger}, but a missing one throws {@link InputError}. */
export function integer(element: XmlElement, name: string): number {
  const value = optionalInteger(element, name);
  if (value === null) throw new InputError(`<${name}> is missing`);
  return value;
}
