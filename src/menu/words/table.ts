import { sentences } from './sentences.ts';

/** Words rows for a narrow screen: one line each, the `label` of an object or the string itself. */
export function table(rows: readonly (string | { readonly label: string })[]): string {
  if (rows.length === 0) return sentences.emptyTable;
  return rows.map((row) => (typeof row === 'string' ? row : row.label)).join('\n');
}
