import { fill, listed, visible } from './columns.ts';
import type { Changes, FactsChange, RightsChange } from './compare.ts';
import type { Reading } from './read.ts';
import { rightName, rightsLines } from './report.ts';
import { isPattern, operationOf } from './rights.ts';

/** What changed, a sign before each line: `+` for what came, `-` for what went; a sentence when nothing did. */
export function changesReport(changes: Changes, after: Reading): readonly string[] {
  const sections = [
    section('What people may do', rightsSection(changes.rights, after)),
    section('Units', factsSection(changes.units)),
    section('Operations', factsSection(changes.operations)),
    section('Besides', factsSection(changes.others)),
  ].flat();
  return sections.length > 0 ? sections.slice(0, -1) : ['No change of rights.'];
}

function section(head: string, lines: readonly string[]): readonly string[] {
  return lines.length > 0 ? [head, ...lines, ''] : [];
}

/** People with the same change stand together. */
function rightsSection(changes: readonly RightsChange[], { operations }: Reading): readonly string[] {
  const nameOf = (right: string) =>
    isPattern(right) || operations.has(operationOf(right))
      ? rightName(right)
      : `${right} (no such operation any more)`;
  const told = changes.map(({ who, gained, lost, had, has }) => ({
    who,
    state: had ? (has ? '' : ' (may do nothing any more)') : ' (could do nothing before)',
    lines: [...rightsLines(gained, { sign: ['+'], nameOf }), ...rightsLines(lost, { sign: ['-'], nameOf })],
  }));
  const same = Map.groupBy(told, ({ state, lines }) => [state, ...lines].join('\n'));
  return [...same.values()].flatMap((people) => [
    ...fill(
      listed(
        people.map(({ who }) => who),
        people[0]?.state,
      ),
      2,
    ),
    ...(people[0]?.lines ?? []),
  ]);
}

function factsSection(changes: readonly FactsChange[]): readonly string[] {
  return changes.flatMap(({ what, state, gained, lost }) => [
    `  ${what}${state === undefined ? '' : ` (${state})`}`,
    ...lost.map((fact) => `    - ${visible(fact)}`),
    ...gained.map((fact) => `    + ${visible(fact)}`),
  ]);
}
