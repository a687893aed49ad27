import { isPlatform } from '../../contract/platform.ts';
import { departmentText } from '../../contract/principal.ts';
import { fits, type Grant, type PolicyDocument, type Role, type Unit } from './document.ts';

/** Who asks. */
export interface Subject {
  /** The text form of a principal, in the spelling by which principals are compared. */
  readonly user: string;
  /** The departments that the bot knows of, of the enterprise whose account the user writes to. */
  readonly departments: readonly number[];
}

/** An operation as rights see it: where there is one at all, and what its user must be allowed as well. */
export interface Grantable {
  readonly name: string;
  readonly units?: readonly string[] | undefined;
  readonly needs?: readonly string[] | undefined;
  /** Services of the policy: in a unit without them there is no such operation. */
  readonly services?: readonly string[] | undefined;
}

/** Who may do what, and what each business unit reaches. */
export type Policy = ReturnType<typeof createPolicy>;

/** Makes the policy that a document describes, over the operations that there are. No match means no. */
export function createPolicy({ units, roles, order }: PolicyDocument, operations: readonly Grantable[]) {
  const known = new Map(operations.map((each) => [each.name, whereReached(each, units)]));
  /** Whether the subject may run the operation; one about a target needs its `unit`. */
  const allows = (subject: Subject, operation: string, unit: string | undefined): boolean => {
    if (isPlatform(operation)) return true;
    if (unit === undefined || !Object.hasOwn(units, unit)) return false;
    const asked = known.get(operation) ?? { name: operation };
    const isGiven = Object.values(roles).some(
      (role) => isMember(role, subject) && gives(role.grants, asked, unit),
    );
    return isGiven && (asked.needs ?? []).every((name) => allows(subject, name, unit));
  };
  return {
    allows,
    /** The operations of each unit in which the subject may do anything, in the order of the file. */
    rights(subject: Subject): readonly (readonly [unit: string, operations: string[]])[] {
      const granted = order.map(
        (unit) =>
          [unit, operations.map(({ name }) => name).filter((name) => allows(subject, name, unit))] as const,
      );
      return granted.filter(([, operations]) => operations.length > 0);
    },
    /** What a unit reaches; undefined when the policy has no such unit. */
    unit: (name: string): Unit | undefined => (Object.hasOwn(units, name) ? units[name] : undefined),
    /** The names of all services that units reach. */
    services: new Set(Object.values(units).flatMap((unit) => Object.keys(unit.services))),
    /** The contexts of the kubeconfig that the units reach. */
    contexts: Object.values(units).flatMap(({ kubernetes }) => kubernetes?.context ?? []),
    /** The users of the role `admin`, who hear of changed files that were refused; empty when there is no such role. */
    admins: Object.hasOwn(roles, 'admin') ? (roles.admin?.members.users ?? []) : [],
  };
}

/** The operation with the units in which there is one: those that reach the services that it calls. */
export function whereReached<O extends Grantable>(operation: O, units: PolicyDocument['units']): O {
  const { services = [], units: where = Object.keys(units) } = operation;
  if (services.length === 0) return operation;
  const has = (unit: string) => services.every((name) => Object.hasOwn(units[unit]?.services ?? {}, name));
  return { ...operation, units: where.filter(has) };
}

/** Whether somebody belongs to a role, by name or by a department. */
export function isMember({ members }: Role, { user, departments }: Subject): boolean {
  return (
    members.users.includes(user) ||
    departments.some((department) => members.departments.includes(departmentText(user, department)))
  );
}

/** Whether grants give the operation in the unit, where there is such an operation; what it needs besides is another question. */
export function gives(grants: readonly Grant[], { name, units }: Grantable, unit: string): boolean {
  return (units === undefined || units.includes(unit)) && grants.some((grant) => covers(grant, name, unit));
}

/** Whether a grant covers the operation in the unit. */
export function covers(grant: Grant, operation: string, unit: string): boolean {
  const inUnit = grant.units === '*' || grant.units.includes(unit);
  return inUnit && grant.operations.some((pattern) => fits(pattern, operation));
}
