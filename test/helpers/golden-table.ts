import type { Node, Tree } from '../../src/menu/tree/tree.ts';

/** An entry of the menu as a row: what is typed below the business unit, what it is called, what it needs. */
export interface Row {
  readonly digits: readonly number[];
  readonly titles: readonly string[];
  /** The operation that the entry runs or needs; a menu, and an entry for everyone, has none. */
  readonly operation: string | undefined;
}

/** Every entry below the first screen, in the order in which `npm run menu` prints them. */
export function rowsOf({ root }: Tree): readonly Row[] {
  const below = (node: Node, above: Pick<Row, 'digits' | 'titles'>): Row[] =>
    [...node.children.values()].flatMap((child) => {
      const { entry, number } = child;
      const row = {
        digits: [...above.digits, number],
        titles: [...above.titles, entry.title],
        operation: entry.kind === 'operation' ? entry.runs : entry.needs,
      };
      return [row, ...below(child, row)];
    });
  return below(root, { digits: [], titles: [] });
}

/** Writes a table: the unit and its users above, one line an entry, and what each user can do with it. */
export function tableOf(
  unit: string,
  users: readonly string[],
  lines: readonly { readonly row: Row; readonly cells: readonly string[] }[],
): string {
  const line = (first: string, cells: readonly string[], last: string) =>
    [first.padEnd(5), ...cells.map((cell) => cell.padEnd(9)), last].join(' ').trimEnd();
  return [
    line('', users, unit),
    ...lines.map(({ row, cells }) => line(row.digits.join('-'), cells, row.titles.at(-1) ?? '')),
  ].join('\n');
}
