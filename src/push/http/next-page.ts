/** What a list answers beside a page: `next`, to be asked for as `after`; nothing when the page is not full, so the last. */
export function nextPage<Row>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => string,
): { readonly next?: string } {
  const last = rows.length < limit ? undefined : rows.at(-1);
  return last === undefined ? {} : { next: keyOf(last) };
}
