import * as api from '../menu/index.ts';
import { Unavailable } from '../menu/index.ts';
import type { AnswerMessage, CallMessage, FromProgram, Settled, ToProgram } from './wire.ts';

/**
 * What stands beside the menus in a realm of their own, where there is the language and nothing else (realm.ts). It is
 * evaluated before them, and nothing passes between here and the outside but text: no object of the outside can be got at
 * in here. No file that this one loads may use anything of Node while it is loaded.
 */

/**
 * Memory outside of the heap, which its limit does not count, what can wait without end, and what runs at times of its own,
 * when nobody knows for whom.
 */
const GONE =
  /^(ArrayBuffer|SharedArrayBuffer|DataView|Atomics|WebAssembly|WeakRef|FinalizationRegistry|\w+Array)$/;
const MOST_DEEP = 6;
const WORDS = 4000;

const entries = new Map<string, unknown>();
const paths = new Map<unknown, string>();
const open = new Map<number, PromiseWithResolvers<unknown>>();
let asks = 0;
let post: (line: string) => void;

/** Closes the realm: from now on nobody can change what others use in here. `send` takes one line. */
export function begin(send: (line: string) => void): void {
  post = send;
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (GONE.test(name)) Reflect.deleteProperty(globalThis, name);
  }
  for (const prototype of [Object.prototype, Error.prototype]) allowOverrides(prototype);
  freezeAll([
    globalThis,
    ...Object.values(api),
    ...[[].values(), new Map().values(), new Set().values(), ''[Symbol.iterator](), ''.matchAll(/./g)],
    ...[async () => {}, function* () {}, async function* () {}],
  ]);
}

/** What is frozen in a prototype could not be assigned in an object either, such as the name of an error. */
function allowOverrides(prototype: object): void {
  for (const [key, { value, enumerable, writable }] of Object.entries(
    Object.getOwnPropertyDescriptors(prototype),
  )) {
    if (writable !== true) continue;
    Object.defineProperty(prototype, key, {
      enumerable: enumerable === true,
      get: () => value,
      set(next: unknown) {
        if (this === prototype) throw new TypeError(`${key} cannot be changed for everybody`);
        Object.defineProperty(this, key, {
          value: next,
          writable: true,
          enumerable: true,
          configurable: true,
        });
      },
    });
  }
}

function freezeAll(roots: readonly unknown[]): void {
  const found = new Set<unknown>(roots);
  // A set goes on over what is added meanwhile.
  for (const each of found) {
    if (each === null || (typeof each !== 'object' && typeof each !== 'function')) continue;
    Object.freeze(each);
    found.add(Reflect.getPrototypeOf(each));
    for (const { value, get, set } of Object.values(Object.getOwnPropertyDescriptors(each))) {
      for (const part of [value, get, set]) found.add(part);
    }
    for (const symbol of Object.getOwnPropertySymbols(each)) {
      found.add(Object.getOwnPropertyDescriptor(each, symbol)?.value);
    }
  }
}

/** Notes what a file exports by default. */
export function add(path: string, entry: unknown): void {
  entries.set(path, entry);
  paths.set(entry, path);
}

/** An entry as JSON: functions and other entries are named, not written out. Throws where it is nothing that can be. */
export function describe(path: string): string {
  const described = (value: unknown, depth: number): unknown => {
    if (typeof value === 'function') return { function: true };
    if (typeof value !== 'object' || value === null) return value;
    const file = depth > 0 ? paths.get(value) : undefined;
    if (file !== undefined) return { file };
    if (depth >= MOST_DEEP) return undefined;
    const parts = Object.entries(value).map(([key, each]) => [key, described(each, depth + 1)] as const);
    return Object.fromEntries(parts);
  };
  return JSON.stringify({ path, entry: described(entries.get(path), 0) });
}

/** Takes one line from outside. */
export function take(line: string): void {
  const message = JSON.parse(line) as ToProgram;
  if ('call' in message) void run(message);
  else settle(message);
}

async function run({ call, at, context, args }: CallMessage): Promise<void> {
  try {
    const [path = '', ...keys] = at;
    let owner: unknown;
    let found = entries.get(path);
    for (const key of keys) [owner, found] = [found, (found as Record<string, unknown>)[key]];
    const ops = { call: (name: string, input: unknown) => ask(call, name, input) };
    const all = context === undefined ? args : [{ ...context, ops }, ...args];
    const value: unknown = await Reflect.apply(found as () => unknown, owner, all);
    const unread = Array.isArray(value) ? (value as { unread?: unknown }).unread : undefined;
    tell({ done: call, value, unread });
  } catch (error) {
    tell({ done: call, ...whyNot(error) });
  }
}

function whyNot(error: unknown): Settled {
  return error instanceof Unavailable
    ? { unavailable: wordsOf(error, 'message') }
    : { failed: wordsOf(error, 'stack') };
}

/** The words of whatever was thrown. Never throws, and calls nothing that takes long unless its author wrote it so. */
export function wordsOf(error: unknown, part: 'message' | 'stack'): string {
  try {
    return String(error instanceof Error ? error[part] : error).slice(0, WORDS);
  } catch {
    return 'what was thrown cannot be read';
  }
}

function ask(by: number, name: string, input: unknown): Promise<unknown> {
  asks += 1;
  const answer = Promise.withResolvers<unknown>();
  open.set(asks, answer);
  tell({ ask: asks, by, name, input });
  return answer.promise;
}

function settle({ answer, value, unread, unavailable, failed }: AnswerMessage): void {
  const waiting = open.get(answer);
  open.delete(answer);
  if (unavailable !== undefined) waiting?.reject(new Unavailable(unavailable));
  else if (failed !== undefined) waiting?.reject(new Error(failed));
  else
    waiting?.resolve(unread !== undefined && Array.isArray(value) ? Object.assign(value, { unread }) : value);
}

function tell(message: FromProgram): void {
  const line = JSON.stringify(message);
  try {
    post(line);
  } catch {
    // Where the stack is full, what is thrown outside would be an object of the outside.
    throw new Error('it cannot be told any more');
  }
}
