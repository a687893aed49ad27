import { InputError } from '../../errors.ts';

/** What an element holds by name: text, elements of its own, or a list when the name occurs more than once. */
export type XmlElement = ReadonlyMap<string, XmlNode | readonly XmlNode[]>;
export type XmlNode = string | XmlElement;

const nothing: XmlElement = new Map();

/** The text of a child; empty when it is missing. Throws {@link InputError} when it occurs twice or is no text. */
export function text(element: XmlElement, name: string): string {
  return optionalText(element, name) ?? '';
}

/** As {@link text}, but null when the child is missing: partial updates carry only what changed (§2.4). */
export function optionalText(element: XmlElement, name: string): string | null {
  const value = element.get(name);
  if (value === undefined) return null;
  if (typeof value !== 'string') throw new InputError(`<${name}> occurs twice or is no plain text`);
  return value;
}

/** The text of every child of the name, a list even of one (§2.4). */
export function texts(element: XmlElement, name: string): readonly string[] {
  return nodes(element, name).map((node) => {
    if (typeof node !== 'string') throw new InputError(`<${name}> is no plain text`);
    return node;
  });
}

/** The one child of the name; an empty element when it is missing. */
export function child(element: XmlElement, name: string): XmlElement {
  const [only = nothing, second] = children(element, name);
  if (second) throw new InputError(`<${name}> occurs twice`);
  return only;
}

/** Every child of the name as an element, a list even of one (§2.4). */
export function children(element: XmlElement, name: string): readonly XmlElement[] {
  return nodes(element, name).map((node) => {
    if (typeof node !== 'string') return node;
    if (node.trim() !== '') throw new InputError(`<${name}> holds text where elements belong`);
    return nothing;
  });
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

/** The child as a decimal number such as a latitude; throws {@link InputError} when it is none. */
export function decimal(element: XmlElement, name: string): number {
  const value = text(element, name);
  if (!/^-?\d{1,15}(\.\d{1,15})?$/.test(value)) throw new InputError(`<${name}> is not a number`);
  return Number(value);
}

function nodes(element: XmlElement, name: string): readonly XmlNode[] {
  const value = element.get(name);
  if (value === undefined) return [];
  return isList(value) ? value : [value];
}

function isList(value: XmlNode | readonly XmlNode[]): value is readonly XmlNode[] {
  return Array.isArray(value);
}
