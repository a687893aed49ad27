import { badRequest } from './failure.ts';
import { isRecord } from './json.ts';
import type { Resource } from './resources.ts';
import type { KubeObject } from './shapes.ts';

/** Whether an object is among those asked for. */
export type Matches = (object: KubeObject) => boolean;

/** Parses `labelSelector`: `a=b`, `a!=b`, `a in (b,c)`, `a notin (b,c)`, `a`, `!a`, joined by commas. Throws 400. */
export function readLabelSelector(text: string): Matches {
  const terms = splitOutsideParentheses(text).map(readLabelTerm);
  return (object) => terms.every((term) => term(object.metadata.labels ?? {}));
}

type Labels = Readonly<Record<string, string>>;

const key = '[A-Za-z0-9][A-Za-z0-9._/-]*';
const equality = new RegExp(`^(${key})\\s*(==|=|!=)\\s*([A-Za-z0-9._-]*)$`);
const membership = new RegExp(`^(${key})\\s+(in|notin)\\s*\\(([A-Za-z0-9._,\\s-]*)\\)$`);
const existence = new RegExp(`^(!?)\\s*(${key})$`);

function readLabelTerm(term: string): (labels: Labels) => boolean {
  const [, equalKey, sign, value] = equality.exec(term) ?? [];
  if (equalKey !== undefined) return (labels) => (labels[equalKey] === value) === (sign !== '!=');
  const [, setKey, word, list] = membership.exec(term) ?? [];
  if (setKey !== undefined && list !== undefined) {
    const values = list.split(',').map((each) => each.trim());
    return (labels) => values.includes(labels[setKey] ?? '\0') === (word === 'in');
  }
  const [, not, onlyKey] = existence.exec(term) ?? [];
  if (onlyKey !== undefined) return (labels) => Object.hasOwn(labels, onlyKey) === (not === '');
  throw badRequest(`unable to parse requirement: ${JSON.stringify(term)}`);
}

/** Parses `fieldSelector`: `a=b`, `a==b`, `a!=b`, joined by commas, on the fields the kind allows. Throws 400. */
export function readFieldSelector(text: string, resource: Resource): Matches {
  const allowed = ['metadata.name', 'metadata.namespace', ...resource.selectable];
  const terms = text.split(',').filter((term) => term.trim() !== '');
  const checks = terms.map((term): Matches => {
    const [, field = '', sign, value] = /^\s*([^=!\s]+)\s*(==|=|!=)\s*(.*?)\s*$/.exec(term) ?? [];
    if (!allowed.includes(field))
      throw badRequest(`field label not supported: ${field === '' ? term : field}`);
    return (object) => (fieldOf(object, field) === value) === (sign !== '!=');
  });
  return (object) => checks.every((check) => check(object));
}

/** The field as text; a field that is not there reads as empty, as in the real server. */
function fieldOf(object: KubeObject, field: string): string {
  const value = field.split('.').reduce<unknown>((at, step) => (isRecord(at) ? at[step] : undefined), object);
  return typeof value === 'string' ? value : '';
}

function splitOutsideParentheses(text: string): readonly string[] {
  return text
    .split(/,(?![^(]*\))/)
    .map((term) => term.trim())
    .filter((term) => term !== '');
}
