import { isIPv6 } from 'node:net';
import { InputError } from '../../errors.ts';

/** Stands at both ends of a value while a text is put together; it is no character, and no text has it. */
const EDGE = '\uffff';
const LETTER = `[\\p{L}\\p{N}_${EDGE}-]`;
/** Looked for where a word begins only, so that a long one costs no more than its length. */
const DOTTED = new RegExp(`(?<!${LETTER})${LETTER}+(?:\\.${LETTER}+)+`, 'gu');
/** The end of a name that may be one of the internet; what looks so, and is the end of a file, an error or a machine inside, is none. */
const TOP = /^(?:\p{L}{2}|xn--)/u;
const INSIDE =
  /^(?:local|localhost|localdomain|internal|intranet|lan|corp|svc|csv|conf|docx?|exe|jar|jpe?g|json|log|pdf|png|sql|txt|xlsx?|xml|ya?ml|\w+(?:error|exception))$/i;

/** A value on its way into running text. */
export function withEdges(value: string): string {
  return `${EDGE}${withoutEdges(value)}${EDGE}`;
}

/** A text in which nothing looks like the end of a value. */
export function withoutEdges(text: string): string {
  return text.replaceAll(EDGE, '\ufffd');
}

/**
 * A text that was put together, in which no value makes a link: phones make one of `://` and of the bare name of a site. What the
 * template alone says stays.
 */
export function unlinked(text: string): string {
  const parts = text.split(EDGE);
  // Every second part is a value; a name may also be put together by several, and the text between them.
  const apart = parts.map((part, at) => (at % 2 ? part.replace(DOTTED, broken) : part)).join(EDGE);
  const whole = apart.replace(DOTTED, (name) => (name.includes(EDGE) ? broken(name) : name));
  return whole.replaceAll(EDGE, '').replace(/:(?=\/\/)/g, '：');
}

function broken(name: string): string {
  const [, ...labels] = name.replaceAll(EDGE, '').split('.');
  // A phone that knows nothing of what follows makes a link of the name before it.
  const last = labels.findLast((label) => TOP.test(label));
  return last === undefined || INSIDE.test(last) ? name : name.replaceAll('.', '［.］');
}

const HOST = /^[\p{L}\p{N}](?:[\p{L}\p{N}_.-]{0,251}[\p{L}\p{N}])?(?::\d{1,5})?$/u;

/** A value that the template shows as the name or address of a machine, as it is. Throws an InputError. */
export function hostOf(name: string, value: string): string {
  if (HOST.test(value) || isIPv6(value)) return value;
  throw new InputError(`variables: ${name}: must be the name or address of one machine, and a port at most`);
}
