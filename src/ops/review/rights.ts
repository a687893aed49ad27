import { fits, type Grant, type Role } from '../policy/document.ts';
import { gives } from '../policy/policy.ts';
import type { Reading } from './read.ts';

/** Stands for the units that are added later; the name of a unit is never empty. */
export const LATER = '';

/**
 * What somebody may do: by unit, names of operations, and patterns for the operations that are added later. An operation
 * that needs others stands as `app.flush (only with k8s.pods.list)` for whoever is not given these: a department may.
 */
export type Rights = ReadonlyMap<string, ReadonlySet<string>>;

/** What some roles give together, in the order of the policy's units. */
export function rightsOf(roles: readonly Role[], { document, operations }: Reading): Rights {
  const grants = roles.flatMap((role) => grantsOf(role));
  const rights = [...document.order, LATER].map((unit) => {
    const given = [...operations.values()].filter((operation) => gives(grants, operation, unit));
    const has = new Set(given.map(({ name }) => name));
    const names = given.map(({ name, needs = [] }) =>
      rightTo(
        name,
        needs.filter((need) => !has.has(need)),
      ),
    );
    const open = grants.filter((grant) => inUnit(grant, unit)).flatMap((grant) => openPatterns(grant));
    return [unit, new Set([...names, ...open])] as const;
  });
  return new Map(rights.filter(([, granted]) => granted.size > 0));
}

function rightTo(name: string, missing: readonly string[]): string {
  return missing.length === 0 ? name : `${name} (only with ${missing.join(' and ')})`;
}

/** The operation, or the pattern, that a right is one to. */
export function operationOf(right: string): string {
  return right.split(' ')[0] as string;
}

/** Patterns of a grant that cover also what is added later. */
export function openPatterns(grant: Grant): readonly string[] {
  return grant.new === 'allowed' ? grant.operations.filter((pattern) => isPattern(pattern)) : [];
}

/** Whether this names operations that nobody knows yet. */
export function isPattern(name: string): boolean {
  return name.includes('*');
}

/** What the first has and the second has not. */
export function without(rights: Rights, others: Rights): Rights {
  const left = [...rights].map(([unit, granted]) => {
    const other = others.get(unit) ?? new Set<string>();
    const isThere = (name: string) =>
      other.has(name) || (isPattern(name) && [...other].some((each) => includesPattern(each, name)));
    return [unit, new Set([...granted].filter((name) => !isThere(name)))] as const;
  });
  return new Map(left.filter(([, granted]) => granted.size > 0));
}

/** What everybody may do whom the policy names: users, and departments as `department 7`, whose members it does not know. */
export function rightsOfAll(reading: Reading): ReadonlyMap<string, Rights> {
  const roles = Object.values(reading.document.roles);
  const rolesOf = new Map<string, Role[]>();
  for (const role of roles) {
    for (const holder of membersOf(role)) rolesOf.set(holder, [...(rolesOf.get(holder) ?? []), role]);
  }
  // Hundreds of people share few roles.
  const found = new Map<string, Rights>();
  const shared = (held: readonly Role[]): Rights => {
    const key = held.map((role) => roles.indexOf(role)).join();
    const rights = found.get(key) ?? rightsOf(held, reading);
    found.set(key, rights);
    return rights;
  };
  return new Map([...rolesOf].map(([holder, held]) => [holder, shared(held)]));
}

/** Who belongs to a role, each once. */
export function membersOf({ members }: Role): readonly string[] {
  const { users, departments, ...rest } = members;
  understood(rest);
  return [...new Set([...users, ...departments.map((department) => `department ${department}`)])];
}

/** Whether a holder is one person. */
export function isPerson(holder: string): boolean {
  return !holder.startsWith('department ');
}

function grantsOf(role: Role): readonly Grant[] {
  const { members: _, grants, ...rest } = role;
  understood(rest);
  return grants;
}

function inUnit(grant: Grant, unit: string): boolean {
  const { operations: _, units, new: __, ...rest } = grant;
  understood(rest);
  return units === '*' || units.includes(unit);
}

/**
 * Takes what is left of a part of the policy. It has to be nothing, which the compiler sees to: a new kind of rule must not
 * be added to the policy while whoever reviews a change is not shown it.
 */
export function understood(_rest: Readonly<Record<string, never>>): void {}

/** Whether one pattern covers all that another does. What `*` stands for in the other is only covered by a `*`. */
function includesPattern(one: string, other: string): boolean {
  return isPattern(one) && isPattern(other) && fits(one, other);
}
