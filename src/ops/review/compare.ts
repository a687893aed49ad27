import type { PolicyDocument } from '../policy/document.ts';
import { createPolicy } from '../policy/policy.ts';
import type { Reading } from './read.ts';
import { type Rights, rightsOfAll, understood, without } from './rights.ts';

/** What changed for somebody. `had` and `has` say whether there was, and is, any right at all. */
export interface RightsChange {
  readonly who: string;
  readonly gained: Rights;
  readonly lost: Rights;
  readonly had: boolean;
  readonly has: boolean;
}

/** What is said about something, in lines of their own: what is new of them and what is gone. */
export interface FactsChange {
  readonly what: string;
  /** There was nothing of it, or is nothing of it any more. */
  readonly state?: 'is new' | 'is gone';
  readonly gained: readonly string[];
  readonly lost: readonly string[];
}

/** Everything that one policy says otherwise than another. */
export interface Changes {
  readonly rights: readonly RightsChange[];
  readonly units: readonly FactsChange[];
  readonly operations: readonly FactsChange[];
  /** Who hears of files that are refused, and the order of the units that were there before and are there now. */
  readonly others: readonly FactsChange[];
}

const NONE: Rights = new Map();

/** What changed for everybody whom one of the policies names, in their units, and in the operations that there are. */
export function changesBetween(before: Reading, after: Reading): Changes {
  const [old, now] = [rightsOfAll(before), rightsOfAll(after)];
  const everybody = [...new Set([...now.keys(), ...old.keys()])];
  return {
    rights: everybody.flatMap((who) => rightsChange(who, old.get(who) ?? NONE, now.get(who) ?? NONE)),
    units: factsChanges(unitsOf(before.document), unitsOf(after.document)),
    operations: factsChanges(kindsOf(before), kindsOf(after)),
    others: factsChanges(
      othersOf(before.document, after.document),
      othersOf(after.document, before.document),
    ),
  };
}

/** What changed for one of them; empty when nothing did. */
export function rightsChange(who: string, old: Rights, now: Rights): readonly RightsChange[] {
  const [gained, lost] = [without(now, old), without(old, now)];
  if (gained.size === 0 && lost.size === 0) return [];
  return [{ who, gained, lost, had: old.size > 0, has: now.size > 0 }];
}

/** What a policy says of each of its units, as `kubernetes.namespaces: shop`. */
export function unitsOf({ units, order }: PolicyDocument): ReadonlyMap<string, readonly string[]> {
  return new Map(order.map((unit) => [unit, facts(units[unit])]));
}

/** One line for each value that there is, under its name in the file; a list has one for each of its items, in any order. */
function facts(value: unknown, name = ''): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => facts(item, name));
  if (value === undefined) return [];
  if (typeof value !== 'object' || value === null) return [`${name}: ${value}`];
  return Object.entries(value).flatMap(([key, item]) => facts(item, name === '' ? key : `${name}.${key}`));
}

function kindsOf({ operations }: Reading): ReadonlyMap<string, readonly string[]> {
  const there = [...operations.values()].filter(({ kind }) => kind !== 'gone');
  return new Map(there.map(({ name, ...said }) => [name, facts(said)]));
}

function othersOf(document: PolicyDocument, { units: others }: PolicyDocument) {
  const { units: _, roles: __, order, ...rest } = document;
  understood(rest);
  // A unit that came or went is told of itself, and does not make an order of the others.
  const common = order.filter((unit) => Object.hasOwn(others, unit));
  return new Map([
    [
      'who hears of files that are refused (the users of the role admin)',
      [...new Set(createPolicy(document, []).admins)],
    ],
    ['the order of units on the first screen', [common.join(', ')]],
  ]);
}

function factsChanges(
  before: ReadonlyMap<string, readonly string[]>,
  after: ReadonlyMap<string, readonly string[]>,
): readonly FactsChange[] {
  const names = [...new Set([...after.keys(), ...before.keys()])];
  return names
    .map((what) => {
      const [old, now] = [before.get(what) ?? [], after.get(what) ?? []];
      return {
        what,
        ...(!before.has(what) && { state: 'is new' as const }),
        ...(!after.has(what) && { state: 'is gone' as const }),
        gained: now.filter((fact) => !old.includes(fact)),
        lost: old.filter((fact) => !now.includes(fact)),
      };
    })
    .filter(({ gained, lost }) => gained.length + lost.length > 0);
}
