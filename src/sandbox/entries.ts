import { ConfigError } from '../errors.ts';
import type { MenuFile } from '../menu/tree/build.ts';
import type { EntryContext } from '../menu/tree/context.ts';
import { type Form, inForm, isProblem, type Option } from '../menu/tree/question.ts';
import type { Listing } from '../menu/words/text.ts';
import type { CallEntry } from './program.ts';
import type { Settled } from './wire.ts';

type Parts = Readonly<Record<string, unknown>>;

const MOST_OPTIONS = 20_000;
/** What a `parse` answers is kept in the session. */
const MOST_ANSWER = 16_384;
const ASK = 'make it with choice(), text(), integer(), port() or code(), or give it a parse';

/**
 * The entries of menu files from what their program says of them (inside.ts): functions call it. Nothing that it says is
 * believed: what is no entry, question, option or text is refused. Throws a ConfigError of every problem, each with its file.
 */
export function readEntries(described: readonly unknown[], call: CallEntry): readonly MenuFile[] {
  const problems: string[] = [];
  const entries = new Map<string, object>();
  const within = new Map<string, Parts>();
  const files = described.map((each): MenuFile => {
    const { path, entry } = partsOf(JSON.parse(`${each}`));
    if (typeof path !== 'string') throw new ConfigError(['the menus cannot be read']);
    const made = entryOf(partsOf(entry), path, call);
    if (typeof made === 'string') problems.push(`${path}: ${made}`);
    if (typeof made !== 'object') return { path, entry: undefined };
    entries.set(path, made);
    const folder = partsOf(entry).within;
    if (folder !== undefined) within.set(path, partsOf(folder));
    return { path, entry: made };
  });
  if (problems.length > 0) throw new ConfigError(problems);
  // Once all are made, since it is one of them; any other leads nowhere, and is named when the tree is built.
  for (const [path, { file, title }] of within) {
    const folder = entries.get(`${file}`) ?? { title: `${title}` };
    Object.assign(entries.get(path) as object, { within: folder });
  }
  return files;
}

/** What an entry is; undefined where it is none, and a sentence where something of it cannot be used. */
function entryOf({ kind, title, needs, runs, ask, run, input }: Parts, path: string, call: CallEntry) {
  if (kind !== 'folder' && kind !== 'action' && kind !== 'operation') return undefined;
  const words = { title, needs, runs };
  for (const [name, word] of Object.entries(words)) {
    if (word !== undefined && typeof word !== 'string') return `its ${name} is no text`;
  }
  const asked: Record<string, unknown> = {};
  for (const [name, parts] of Object.entries(partsOf(ask))) {
    const question = questionOf(partsOf(parts), [path, 'ask', name], call);
    if (typeof question === 'string') return `the question "${name}" ${question}`;
    asked[name] = question;
  }
  const shared = { kind, ...words, ask: asked };
  if (kind === 'folder') return shared;
  if (kind === 'action') {
    if (run === undefined && runs !== undefined) return shared;
    if (!isFunction(run)) return 'has no run(); it answers the reply';
    const answer = async (context: EntryContext, answers: unknown) =>
      textOf(await call([path, 'run'], context, [answers]), path);
    return { ...shared, run: answer };
  }
  if (input !== undefined && !isFunction(input)) return 'its input is no function of the answers';
  if (input === undefined) return shared;
  return {
    ...shared,
    input: async (answers: unknown) => (await call([path, 'input'], undefined, [answers])).value,
  };
}

function questionOf({ question, form, load, parse }: Parts, at: readonly string[], call: CallEntry) {
  if (typeof question !== 'string') return `is none; ${ASK}`;
  const where = at.join(' › ');
  if (isFunction(load)) {
    const options = async (context: EntryContext, answers: unknown) =>
      optionsOf(await call([...at, 'load'], context, [answers]), where);
    return { question, load: options };
  }
  if (form !== undefined) return isForm(form) ? inForm(question, form) : `has no form that is known; ${ASK}`;
  if (!isFunction(parse)) return `has neither options nor a parse; ${ASK}`;
  const read = async (typed: string) => answerOf(await call([...at, 'parse'], undefined, [typed]), where);
  return { question, parse: read };
}

function isForm(value: unknown): value is Form {
  const { kind, max, min, digits } = partsOf(value);
  const isNumber = (number: unknown) => typeof number === 'number';
  if (kind === 'integer') return isNumber(min) && isNumber(max);
  return (kind === 'text' && isNumber(max)) || (kind === 'code' && isNumber(digits));
}

function textOf({ value }: Settled, path: string): string {
  if (typeof value !== 'string') throw new Error(`${path}: run() answered no text`);
  return value;
}

function answerOf({ value }: Settled, where: string): unknown {
  if (isProblem(value) && typeof value.problem !== 'string')
    throw new Error(`${where}: its problem is no text`);
  if (value === undefined || JSON.stringify(value).length > MOST_ANSWER) {
    throw new Error(`${where}: parse answered nothing, or more than ${MOST_ANSWER} characters`);
  }
  return value;
}

function optionsOf({ value, unread }: Settled, where: string): Listing<Option> {
  if (!Array.isArray(value) || value.length > MOST_OPTIONS || !value.every(isOption)) {
    throw new Error(
      `${where}: answered no list of texts, or of objects with key and label, of at most ${MOST_OPTIONS}`,
    );
  }
  if (!Array.isArray(unread)) return value;
  return Object.assign(value, { unread: unread.filter((each) => typeof each === 'string') });
}

function isOption(value: unknown): value is Option {
  if (typeof value === 'string') return true;
  const { key, label, name } = partsOf(value);
  return (
    typeof key === 'string' && typeof label === 'string' && (name === undefined || typeof name === 'string')
  );
}

function isFunction(value: unknown): boolean {
  return partsOf(value).function === true;
}

/** The parts of an object; none of anything else. */
function partsOf(value: unknown): Parts {
  return typeof value === 'object' && value !== null ? (value as Parts) : {};
}
