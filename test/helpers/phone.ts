import type { Preview } from '../../src/menu/tree/context.ts';
import { type Context, type Outcome, Unavailable } from '../../src/menu/tree/context.ts';
import { loadTree } from '../../src/menu/tree/load.ts';
import type { Tree } from '../../src/menu/tree/tree.ts';
import { pathOf, type Session } from '../../src/menu/turn/session.ts';
import { takeTurn } from '../../src/menu/turn/turn.ts';
import { catalogue } from './operations.ts';

/** A platform for tests: reads answer what the function returns, changes what `lines` and `run` say. */
export interface FakeOps {
  readonly calls: (readonly [name: string, input: unknown])[];
  may(operation: string, answers: Readonly<Record<string, unknown>>): boolean;
  read(name: string, input: unknown): unknown;
  preview(name: string, input: unknown, now: number): Preview;
  run(name: string, input: unknown): Outcome;
}

type FakeRead = (input: never) => unknown;

/** What a fake change previews and what becomes of it. */
export interface FakeChange {
  readonly lines: (input: never) => readonly string[];
  readonly code?: string;
  readonly run: (input: never) => string | Outcome;
}

/** Makes a platform out of functions; an operation that is not among them is one the user may not run. */
export function fakeOps(operations: Readonly<Record<string, FakeRead | FakeChange>>): FakeOps {
  const calls: [string, unknown][] = [];
  const change = (name: string): FakeChange => operations[name] as FakeChange;
  let previews = 0;
  return {
    calls,
    may: (operation) => Object.hasOwn(operations, operation),
    read(name, input) {
      calls.push([name, input]);
      const run = operations[name] as FakeRead | undefined;
      if (run === undefined) throw new Unavailable(`没有权限：${name}`);
      return run(input as never);
    },
    preview(name, input, now) {
      const { lines, code } = change(name);
      previews += 1;
      return {
        id: `${previews}`,
        hash: `hash-${previews}`,
        lines: lines(input as never),
        code,
        expiresAt: now + 120_000,
      };
    },
    run(name, input) {
      calls.push([name, input]);
      const outcome = change(name).run(input as never);
      return typeof outcome === 'string' ? { text: outcome } : outcome;
    },
  };
}

/** A phone in a test: no WeCom, no Redis, no port, no clock but the one that is set. */
export interface Phone {
  /** Types each line in turn and answers the last reply. */
  say(...lines: readonly string[]): Promise<string>;
  /** The dash-joined path, or null without a session. */
  path(): string | null;
  session(): Session | null;
  /** Moves the clock on. */
  wait(milliseconds: number): void;
  /** Swaps the menu, as a reload does. */
  reload(tree: Tree): void;
}

/** Opens a conversation with a menu folder or a tree. The first screen is already shown. */
export async function phoneWith(
  menu: string | Tree,
  { ops, replyBytes = 2048 }: { readonly ops: FakeOps; readonly replyBytes?: number },
): Promise<Phone> {
  let tree = typeof menu === 'string' ? await loadMenu(menu) : menu;
  let session: Session | null = null;
  let now = 1_767_225_600_000;
  const context = (): Context => ({
    user: 'zhangsan',
    now,
    replyBytes,
    ops: { call: async (name: string, input: unknown) => ops.read(name, input) as never },
    may: (operation, answers) => ops.may(operation, answers),
    preview: async (operation, input) => ops.preview(operation, input, now),
    run: async (operation, input) => ops.run(operation, input),
  });
  const type = async (line: string): Promise<string> => {
    const turn = await takeTurn(tree, session, line, context());
    if (turn.session !== 'same')
      session = turn.session && (JSON.parse(JSON.stringify(turn.session)) as Session);
    return turn.text;
  };
  await type('hi');
  return {
    async say(...lines) {
      let reply = '';
      for (const line of lines) reply = await type(line);
      return reply;
    },
    path: () => (session === null ? null : pathOf(session)),
    session: () => session,
    wait: (milliseconds) => {
      now += milliseconds;
    },
    reload: (next) => {
      tree = next;
    },
  };
}

/** Loads a menu folder; a problem in it fails the test with the sentence an author would read. */
export function loadMenu(directory: string): Promise<Tree> {
  return loadTree(directory, catalogue);
}
