import { readFileSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import * as z from 'zod';
import type { Answer, Preview } from '../../src/contract/answer.ts';
import { type Commands, createCommands } from '../../src/ops/declared/commands.ts';
import { createDeclared } from '../../src/ops/declared/index.ts';
import { LEASE_MS } from '../../src/ops/engine/store.ts';
import { loadOperations, type NamedOperation } from '../../src/ops/operations/load.ts';
import type { Operation } from '../../src/ops/operations/operation.ts';
import { outcomeKey } from '../../src/ops/outbox/outbox.ts';
import { createPolicy } from '../../src/ops/policy/policy.ts';
import { TargetFailed } from '../../src/ops/target-failed.ts';
import { START } from './fake-cluster.ts';
import { type Fakes, openFakes, serviceAt, type Through } from './fake-targets.ts';
import { createMemory, memoryTables } from './memory-tables.ts';
import { type Death, type MortalParts, mortalReplica } from './mortal-replica.ts';
import { steppedClock } from './stepped-clock.ts';

export { deployment, type FakeCluster, fakeCluster } from './fake-cluster.ts';
export { type FakeRequest, fakeHttp, fakeMysql } from './fake-targets.ts';

/** What an operation finds in a test. Its unit is `电商`, which reaches all that is given here and nothing else. */
export interface Surroundings extends Fakes {
  /** Unix milliseconds. */
  readonly now?: number;
  /** `production` unless it says otherwise. */
  readonly environment?: 'test' | 'production';
  /** What no deployment of the unit may pass; 50 unless it says otherwise. */
  readonly replicas?: number;
  /** What the operation finds under `secrets` (docs/operations.md), by the name of the setting. */
  readonly secrets?: Readonly<Record<string, string>>;
}

/** A conversation with one operation: what each answers is what the person on the phone reads. */
export interface TestedOperation {
  /** Reads; the unit is added. Throws what the person reads when there is no answer. */
  read(input: object): Promise<unknown>;
  /** The lines of the preview, or why there is none; the unit is added. */
  preview(input: object): Promise<string>;
  /** What is shown now, and may be confirmed. */
  shown(): Preview | undefined;
  /** Confirms what was shown last, with its code unless another is given. Empty where the process died over it. */
  confirm(code?: string): Promise<string>;
  /** The process that runs the next change dies: when it has looked for the last time, or when the effect is there. */
  crash(where: Death): void;
  /** Another replica takes up what was left behind. Answers what the person reads of that. */
  reconcile(): Promise<string>;
  /** What was on its way to a target when the process died arrives now, late. */
  arrive(): Promise<void>;
  /** So many milliseconds pass; a change is followed meanwhile. Answers what the person reads in that time. */
  wait(milliseconds: number): Promise<string>;
  /** All that the person has read after confirming. */
  told(): string;
  /** What the audit has of it, each with its reason if there is one: `previewed`, `allowed`, `done: …`. */
  audit(): readonly string[];
}

const UNIT = '电商';
const USER = 'zhangsan';

/**
 * Opens a conversation with an operation, by its file (`operations/k8s/scale.ts`, also one in YAML) or its module. It runs in the platform's own
 * engine, without a server: what is in memory here is its database, its targets and its clock, which stands still unless something waits.
 * What is no answer for a person, such as a TypeError in the operation, is thrown.
 */
export async function operationWith(
  what: string | Operation,
  { now = START, secrets = {}, ...around }: Surroundings = {},
): Promise<TestedOperation> {
  const memory = createMemory();
  let underWay = 0;
  const through: Through = async (call) => {
    underWay += 1;
    return call().finally(() => {
      underWay -= 1;
    });
  };
  const found = typeof what === 'string' ? await load(what, secrets, through) : unnamed(what);
  const clock = steppedClock(now, () => underWay > 0);
  around.cluster?.setTime(clock.now);
  const bugs: unknown[] = [];
  const parts: Omit<MortalParts, 'tables'> = {
    user: USER,
    found,
    policy: policyOf(found, around),
    clock,
    through,
    open: (gate) => openFakes(around, gate),
    report: (error) => void (error instanceof TargetFailed || bugs.push(error)),
  };
  let replicas = 0;
  const start = () => mortalReplica({ ...parts, tables: memoryTables(memory, `replica-${replicas++}`) });
  let replica = start();
  let dead: typeof replica | undefined;
  let preview: Preview | undefined;
  let input: object = {};
  const told: string[] = [];
  const heard = new Set<string>();

  const step = async <T>(work: Promise<T>): Promise<T> => {
    const done = await clock.until(work);
    if (bugs.length > 0) throw bugs.shift();
    return done;
  };
  /** What the person got since, outside of an answer. */
  const listen = (): string => {
    const fresh = [...memory.told].filter(([key]) => !heard.has(key));
    for (const [key, text] of fresh) {
      heard.add(key);
      told.push(text);
    }
    return fresh.map(([, text]) => text).join('\n');
  };
  const pass = async (milliseconds: number): Promise<string> => {
    await clock.pass(milliseconds);
    await step(replica.sweep());
    await clock.pass(0);
    return listen();
  };

  return {
    async read(asked) {
      const answer = await step(replica.ask({ unit: UNIT, ...asked }));
      if (answer?.state === 'done') return answer.output;
      throw new Error(textOf(answer));
    },
    async preview(asked) {
      input = { unit: UNIT, ...asked };
      const answer = await step(replica.ask(input, true));
      preview = answer?.state === 'preview' ? answer.preview : undefined;
      return textOf(answer);
    },
    shown: () => preview,
    async confirm(code = preview?.code) {
      if (preview === undefined)
        throw new Error('nothing is shown that could be confirmed: call preview first');
      const { id, hash } = preview;
      const answer = await step(
        replica.ask({ input, preview: { id, hash }, ...(code !== undefined && { code }) }),
      );
      if (answer === undefined) {
        [dead, replica] = [replica, start()];
        return '';
      }
      if (answer.state === 'done' || answer.state === 'failed' || answer.state === 'unknown')
        heard.add(outcomeKey(id));
      if (answer.state === 'refused' && answer.preview !== undefined) preview = answer.preview;
      told.push(textOf(answer));
      return textOf(answer);
    },
    crash: (where) => replica.plan(where),
    reconcile: () => pass(LEASE_MS + 5000),
    async arrive() {
      dead?.arrive();
      await clock.pass(0);
    },
    wait: pass,
    told: () => told.join('\n'),
    audit: () => memory.audit.map(({ outcome, reason }) => [outcome, reason].filter(Boolean).join(': ')),
  };
}

function textOf(answer: Answer | undefined): string {
  if (answer === undefined) return '';
  switch (answer.state) {
    case 'preview':
      return answer.preview.lines.join('\n');
    case 'refused':
      return [answer.message, ...(answer.preview?.lines ?? [])].join('\n');
    case 'done':
    case 'accepted':
      return answer.text ?? '';
    default:
      return answer.message;
  }
}

/** The operation of a file, read with all of its folder as the platform does it. */
async function load(
  path: string,
  secrets: Readonly<Record<string, string>>,
  through: Through,
): Promise<NamedOperation> {
  const [, folder = '', file = ''] = /^(.*\boperations)\/(.+)$/.exec(posix.normalize(path)) ?? [];
  const text = readFileSync(path, 'utf8');
  const others = createDeclared({ environment: undefined });
  // Programs are real ones; the clock of the test stands still while one runs.
  const user = process.geteuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : undefined;
  const commands = createCommands({ folder: resolve(folder), user });
  const start: Commands['startChange'] = async (id, call) => {
    await commands.startChange(id, call);
    void through(async () => commands.ofChange(id)?.ended);
  };
  const tested = createDeclared({ environment: secrets, commands: { ...commands, startChange: start } });
  const { operations } = await loadOperations(folder, (each) => (each === text ? tested : others)(each));
  const found = [...operations.values()].find((each) => each.file === file);
  if (found === undefined)
    throw new Error(`${path} is no operation: its name or one of its folders starts with _`);
  return found;
}

function unnamed(operation: Operation): NamedOperation {
  const input = z.toJSONSchema(operation.input, { io: 'input' });
  return { name: 'operation', file: 'operation.ts', definition: 'test', operation, input };
}

/** A policy in which the user may do everything in a unit that reaches what the test has given. */
function policyOf({ name, operation }: NamedOperation, around: Surroundings) {
  const { cluster, mysql = {}, http = {}, environment = 'production', replicas = 50 } = around;
  const unit = {
    environment,
    ...(cluster && { kubernetes: { context: 'test', namespaces: [...cluster.namespaces] } }),
    mysql: Object.keys(mysql),
    services: Object.fromEntries(Object.keys(http).map((each) => [each, serviceAt])),
    limits: { replicas },
  };
  const grant = { operations: ['*'], units: '*', new: 'allowed' } as const;
  const all = { members: { users: [USER], departments: [] }, grants: [{ ...grant, operations: ['*'] }] };
  return createPolicy({ units: { [UNIT]: unit }, roles: { all }, order: [UNIT] }, [{ ...operation, name }]);
}
