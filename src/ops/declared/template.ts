import { InputError } from '../../errors.ts';

/** A text with parts to fill in, such as `/caches/{cache}`; `{{` and `}}` stand for the brackets themselves. */
export interface Template {
  /** The names of its parts. */
  readonly names: readonly string[];
  /** The text with each part as `write` gives it; that decides how a value is written where it stands. */
  fill(write: (name: string) => string): string;
}

const PART = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;

/** Reads a template whose parts have to be among `known`. Throws an InputError that names the part, without the text. */
export function readTemplate(text: string, known: readonly string[]): Template {
  const names: string[] = [];
  for (const [found, name] of text.matchAll(PART)) {
    if (found === '{{' || found === '}}') continue;
    if (name === undefined)
      throw new InputError(`has a single "${found}"; write it twice where it stands for itself`);
    if (!known.includes(name)) {
      throw new InputError(`has the part {${name}}, which is not there; there are ${known.join(', ')}`);
    }
    names.push(name);
  }
  return {
    names,
    fill: (write) =>
      text.replace(PART, (found, name: string | undefined) => {
        if (name === undefined) return found[0] as string;
        return write(name);
      }),
  };
}

/** What may stand in the templates of a declaration. */
export interface Scope {
  readonly values: readonly string[];
  readonly secrets: readonly string[];
}

/** Takes down what is wrong with a declaration, and which of its names are used. */
export interface Findings {
  readonly problems: string[];
  readonly used: Set<string>;
}

/** Reads the template that stands at that place. */
export type Read = (place: string, text: string, known?: readonly string[]) => Template;

/** Makes what reads templates; what is wrong with one goes to the findings, under its place. */
export function createReader(scope: Scope, { problems, used }: Findings): Read {
  return (place, text, known = [...scope.values, ...scope.secrets]) => {
    try {
      const template = readTemplate(text, known);
      for (const name of template.names) used.add(name);
      return template;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      problems.push(`${place}: ${error.message}`);
      return { names: [], fill: () => '' };
    }
  };
}
