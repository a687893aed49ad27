import { createAttempt } from '../../src/ops/audit/audit.ts';
import { createEngine, type Tables } from '../../src/ops/engine/engine.ts';
import { type Check, refuse } from '../../src/ops/http/check.ts';
import { createRequestHandler } from '../../src/ops/http/request.ts';
import type { NamedOperation } from '../../src/ops/operations/load.ts';
import type { ChangeOperation } from '../../src/ops/operations/operation.ts';
import type { Policy } from '../../src/ops/policy/policy.ts';
import { TargetFailed } from '../../src/ops/target-failed.ts';
import { type OpenTargets, reachIn } from '../../src/ops/targets/targets.ts';
import type { Through } from './fake-targets.ts';
import type { SteppedClock } from './stepped-clock.ts';

/** Where a process dies: when it has looked at the object for the last time, or when its effect is there. */
export type Death = 'before' | 'after';

export interface MortalParts {
  readonly user: string;
  readonly found: NamedOperation;
  readonly policy: Policy;
  readonly tables: Tables;
  readonly clock: SteppedClock;
  /** Carries a call to a target of the test. */
  readonly through: Through;
  open(through: Through): OpenTargets;
  report(error: unknown): void;
}

const FOREVER = new Promise<never>(() => {});

/**
 * The platform's own engine with one operation, from the body of a request to its answer: without token, HTTP and database.
 * It can die in the middle of a change: then nothing more is written, and what it had sent has yet to arrive.
 */
export function mortalReplica({ found, policy, tables, clock, report, ...parts }: MortalParts) {
  let planned: Death | undefined;
  let isDead = false;
  const death = Promise.withResolvers<void>();
  const arrival = Promise.withResolvers<void>();
  const die = (): void => {
    isDead = true;
    death.resolve();
  };
  const targets = parts.open(async (call) => {
    if (isDead) await arrival.promise;
    return parts.through(call);
  });

  const dying = (operation: ChangeOperation): ChangeOperation => ({
    ...operation,
    async apply(context, change, checkTime) {
      let isChecked = false;
      const check = (): void => {
        checkTime();
        isChecked = true;
        if (planned === 'before') die();
      };
      try {
        const seen = await operation.apply(context, change, check);
        if (!isChecked)
          throw new Error('apply had its effect and never called checkTime: call it right before the effect');
        if (planned === 'after') die();
        return seen;
      } catch (error) {
        if (planned === 'after' && error instanceof TargetFailed && error.mayHaveHappened) die();
        throw error;
      }
    },
  });
  const { operation } = found;
  const named = operation.kind === 'change' ? { ...found, operation: dying(operation) } : found;
  const versionsOf = (name: string) => (name === named.name ? [named] : []);
  const { store, audit } = tables;
  const living = <A extends unknown[], R>(work: (...args: A) => Promise<R>) => {
    return (...args: A): Promise<R> => (isDead ? FOREVER : work(...args));
  };
  const steps = Object.entries(store).map(([name, step]) => [name, living(step as () => Promise<unknown>)]);
  const engine = createEngine(
    { ...tables, store: Object.fromEntries(steps), audit: { ...audit, append: living(audit.append) } },
    {
      targets: { reachOf: (given, unit) => reachIn(given, unit, targets) },
      clock,
      policy: () => policy,
      operations: {
        generation: 'test',
        all: () => [named],
        find: (name) => versionsOf(name)[0],
        versionsOf,
        titleOf: () => operation.title,
      },
      tidy: async () => {},
      report,
    },
  );
  const check: Check = async ({ operation, source }, _verify, answer) => {
    const attempt = createAttempt(audit, clock, clock.now(), { operation, source, user: parts.user });
    return answer({ sub: parts.user, departments: [], jti: '', exp: 0 } as never, attempt).catch(
      (error: unknown) => refuse(attempt, error),
    );
  };
  const handle = createRequestHandler(check, engine);
  return {
    /** Undefined when it died over it. */
    ask(body: unknown, isPreview = false) {
      const text = new TextEncoder().encode(JSON.stringify(body));
      const request = { authorization: undefined, body: text, source: 'test' };
      return Promise.race([handle(named.name, isPreview, request), death.promise.then(() => undefined)]);
    },
    sweep: engine.sweep,
    plan(where: Death): void {
      planned = where;
    },
    isDead: () => isDead,
    /** What was on its way when it died arrives now. */
    arrive: arrival.resolve,
  };
}
