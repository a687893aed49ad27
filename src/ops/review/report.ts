import { departmentText } from '../../contract/principal.ts';
import type { Role } from '../policy/document.ts';
import { covers, type Grantable, gives, isMember, type Subject } from '../policy/policy.ts';
import { fill, listed, table, visible } from './columns.ts';
import { unitsOf } from './compare.ts';
import type { Reading } from './read.ts';
import {
  isPattern,
  isPerson,
  LATER,
  membersOf,
  openPatterns,
  operationOf,
  type Rights,
  rightsOf,
  rightsOfAll,
} from './rights.ts';

/** Who may do what in which unit, what nobody may do, what is granted before it is there, and what hangs on one person. */
export function policyReport(reading: Reading): readonly string[] {
  const { document } = reading;
  const roles = Object.entries(document.roles).flatMap(([name, role]) => [
    ...fill(
      ['Role', `${name}:`, ...(membersOf(role).length > 0 ? listed(membersOf(role)) : ['no members'])],
      0,
    ),
    ...rightsTable(rightsOf([role], reading), reading),
    '',
  ]);
  const holders = rightsOfAll(reading);
  return [
    'Units',
    ...[...unitsOf(document)].flatMap(([unit, facts]) => [
      `  ${unit}`,
      ...fill(listed(facts.map((fact) => visible(fact))), 4),
    ]),
    '',
    ...roles,
    'Nobody may run',
    ...orNone(unusable(reading, holders)),
    '',
    'Granted with `new: allowed`, and so with all that is added later and fits',
    ...orNone(openGrants(reading)),
    '',
    'Only one person may run (a department counts as several)',
    ...orNone(alone(reading, holders)),
  ];
}

/** What one person may do, and by what; `isWhole` when the departments of the subject are all that it has. */
export function personReport(reading: Reading, subject: Subject, isWhole: boolean): readonly string[] {
  const { user } = subject;
  const roles = Object.entries(reading.document.roles);
  const own = subject.departments.map((department) => departmentText(user, department));
  const held = roles.filter(([, role]) => isMember(role, subject));
  const reasons = held.flatMap(([name, { members }]) => {
    const departments = own.filter((department) => members.departments.includes(department));
    const by = [
      members.users.includes(user) ? 'by name' : '',
      ...departments.map((each) => `by department ${each}`),
    ];
    return fill([`${name}:`, ...listed(by.filter((each) => each !== ''))], 2);
  });
  const rights = rightsOf(
    held.map(([, role]) => role),
    reading,
  );
  const named = [...new Set(roles.flatMap(([, { members }]) => members.departments))];
  const remark = ['Without', 'departments;', 'the policy names', ...listed(named, ':'), 'see --departments'];
  return [
    ...(rights.size > 0
      ? [user, ...reasons, '', ...rightsTable(rights, reading)]
      : [`${user} may do nothing.`]),
    ...(isWhole || named.length === 0 ? [] : ['', ...fill(remark, 0)]),
  ];
}

/** Rights line by line, units with the same ones together. */
export function rightsLines(
  rights: Rights,
  { sign, nameOf }: { readonly sign: readonly string[]; nameOf(item: string): string },
): readonly string[] {
  const same = Map.groupBy(rights, ([, granted]) => [...granted].join());
  return [...same.values()].flatMap((pairs) => {
    const units = pairs.map(([unit]) => (unit === LATER ? 'units added later' : unit));
    const items = [...(pairs[0]?.[1] ?? [])].map((item) => nameOf(item));
    return fill([...sign, ...listed(units, ':'), ...listed(items)], 4);
  });
}

/** How a right is written: a pattern stands for what is not there yet. */
export function rightName(item: string): string {
  return isPattern(item) ? `${item} (added later)` : item;
}

function rightsTable(rights: Rights, { document, operations }: Reading): readonly string[] {
  const granted = new Set([...rights.values()].flatMap((items) => [...items]));
  const names = new Set([...operations.keys(), ...[...granted].map((right) => operationOf(right))]);
  const rows = [...names].flatMap((name) => [...granted].filter((right) => operationOf(right) === name));
  const units = [...document.order, LATER].filter((unit) => rights.has(unit));
  const cell = (right: string) => operations.get(operationOf(right))?.kind ?? 'any';
  const columns = units.map((unit) => ({
    head: unit === LATER ? 'added later' : unit,
    cells: rows.map((right) => (rights.get(unit)?.has(right) ? cell(right) : '-')),
  }));
  return table(
    rows.map((name) => rightName(name)),
    columns,
    2,
  );
}

function orNone(lines: readonly string[]): readonly string[] {
  return lines.length > 0 ? lines : ['  none'];
}

function unusable(
  { document, operations }: Reading,
  holders: ReadonlyMap<string, Rights>,
): readonly string[] {
  const { order, roles } = document;
  const all = [...holders.values()];
  const names = [...operations.values()].filter(({ name }) => {
    return !order.some((unit) => all.some((rights) => rights.get(unit)?.has(name)));
  });
  const lines = names.flatMap((operation) => {
    const granting = Object.entries(roles).filter(([, { grants }]) => {
      return order.some((unit) => gives(grants, operation, unit));
    });
    const { name, kind, title } = operation;
    return fill([name, `(${kind}, ${title}):`, ...whyNobody(operation, granting)], 2);
  });
  const empty = order.filter((unit) => !all.some((rights) => rights.has(unit)));
  return [...lines, ...empty.map((unit) => `  anything in ${unit}`)];
}

function whyNobody({ units, needs = [] }: Grantable, granting: readonly (readonly [string, Role])[]) {
  if (granting.length === 0) {
    return ['no role grants it', ...(units ? ['where it can be run, in', ...listed(units)] : [])];
  }
  if (granting.some(([, role]) => membersOf(role).length > 0)) {
    return ['who is granted it is not known to have what it needs,', ...listed(needs)];
  }
  return ['only roles without members grant it:', ...listed(granting.map(([role]) => role))];
}

function openGrants({ document, operations }: Reading): readonly string[] {
  return Object.entries(document.roles).flatMap(([role, { grants }]) =>
    grants.flatMap((grant, index) =>
      openPatterns(grant).flatMap((pattern) => {
        const now = [...operations.keys()].filter((name) => {
          return covers({ operations: [pattern], units: '*' }, name, LATER);
        });
        const units = grant.units === '*' ? ['every unit'] : grant.units;
        const place = `roles.${role}.grants.${index}:`;
        return fill([place, `"${pattern}"`, 'in', ...listed(units, ';'), 'now', ...listed(now)], 2);
      }),
    ),
  );
}

function alone({ document, operations }: Reading, holders: ReadonlyMap<string, Rights>): readonly string[] {
  const found = new Map<string, Map<string, Set<string>>>();
  for (const unit of document.order) {
    for (const name of operations.keys()) {
      // Also who lacks what it needs: a department may give that.
      const able = [...holders].filter(([, rights]) => {
        return [...(rights.get(unit) ?? [])].some((right) => operationOf(right) === name);
      });
      const [only] = able.map(([holder]) => holder);
      if (only === undefined || able.length > 1 || !isPerson(only)) continue;
      if (!holders.get(only)?.get(unit)?.has(name)) continue;
      const units = found.get(only) ?? new Map<string, Set<string>>();
      found.set(only, units.set(unit, new Set([...(units.get(unit) ?? []), name])));
    }
  }
  return [...found].flatMap(([who, rights]) => [
    `  ${who}`,
    ...rightsLines(rights, { sign: [], nameOf: rightName }),
  ]);
}
