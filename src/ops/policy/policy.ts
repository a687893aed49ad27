import { contract, type OperationName } from '../../contract/index.ts';
import { departmentText } from '../../contract/principal.ts';
import type { Grant, PolicyDocument, Role, Unit } from './document.ts';
import { fits, isForEveryone, needsUnit } from './grants.ts';

/** Who asks. */
export interface Subject {
  /** The text form of a principal, in the spelling by which principals are compared. */
  readonly user: string;
  /** The departments that the bot knows of, of the enterprise whose account the user writes to. */
  readonly departments: readonly number[];
}

/** Who may do what, and what each business unit reaches. No match means no. */
export interface Policy {
  /** The operations of each unit in which the subject may do anything, in the order of the file. */
  rights(subject: Subject): Readonly<Record<string, OperationName[]>>;
  /** Whether the subject may run the operation; one about a target needs its `unit`. */
  allows(subject: Subject, operation: OperationName, unit: string | undefined): boolean;
  /** What a unit reaches; undefined when the policy has no such unit. */
  unit(name: string): Unit | undefined;
  /** The users of the role `admin`, who hear of changed files that were refused; empty when there is no such role. */
  readonly admins: readonly string[];
}

/** Makes the policy that a document describes. */
export function createPolicy({ units, roles }: PolicyDocument): Policy {
  const names = Object.keys(contract).filter((name): name is OperationName => needsUnit(name));
  const policy: Policy = {
    rights(subject) {
      const granted = Object.keys(units).map(
        (unit) => [unit, names.filter((name) => policy.allows(subject, name, unit))] as const,
      );
      return Object.fromEntries(granted.filter(([, operations]) => operations.length > 0));
    },
    allows(subject, operation, unit) {
      if (isForEveryone(operation)) return true;
      if (!needsUnit(operation) || unit === undefined || !Object.hasOwn(units, unit)) return false;
      return Object.values(roles).some(
        (role) => isMember(role, subject) && role.grants.some((grant) => covers(grant, operation, unit)),
      );
    },
    admins: Object.hasOwn(roles, 'admin') ? (roles.admin?.members.users ?? []) : [],
    unit: (name) => (Object.hasOwn(units, name) ? units[name] : undefined),
  };
  return policy;
}

function isMember({ members }: Role, { user, departments }: Subject): boolean {
  return (
    members.users.includes(user) ||
    departments.some((department) => members.departments.includes(departmentText(user, department)))
  );
}

function covers(grant: Grant, operation: string, unit: string): boolean {
  const inUnit = grant.units === '*' || grant.units.includes(unit);
  return inUnit && grant.operations.some((pattern) => fits(pattern, operation));
}
