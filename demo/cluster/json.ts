/** Narrows to a JSON object: not null, not a list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same JSON without members that are null or undefined, which is how the API server reads them. */
export function prune(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(prune);
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  return Object.fromEntries(kept.map(([name, member]) => [name, prune(member)]));
}

/** A moment as Kubernetes writes it: UTC, whole seconds. */
export function stamp(moment: Date): string {
  return moment.toISOString().replace(/\.\d+Z$/, 'Z');
}

/** JSON in which the order of members is always the same, so that equal values give equal text. */
export function canonical(value: unknown): string {
  const sorted = (_: string, member: unknown): unknown =>
    isRecord(member)
      ? Object.fromEntries(Object.entries(member).sort(([one], [other]) => (one < other ? -1 : 1)))
      : member;
  return JSON.stringify(value, sorted);
}
