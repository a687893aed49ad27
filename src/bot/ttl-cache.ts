/** Answers of a slow source that are believed for a while. One question at a time for each key; failures are not kept. */
export type TtlCache<Q, V> = (question: Q) => Promise<V>;

export interface TtlCacheParts<Q, V> {
  readonly milliseconds: number;
  keyOf(question: Q): string;
  ask(question: Q): Promise<V>;
  now(): number;
}

/** Beyond this many keys the oldest is forgotten. */
const MAX_KEYS = 10_000;

/** Makes a memory in front of `ask`. */
export function createTtlCache<Q, V>({ milliseconds, keyOf, ask, now }: TtlCacheParts<Q, V>): TtlCache<Q, V> {
  const kept = new Map<string, { readonly until: number; readonly value: Promise<V> }>();
  return (question) => {
    const key = keyOf(question);
    const known = kept.get(key);
    if (known !== undefined && known.until > now()) return known.value;
    kept.delete(key);
    if (kept.size >= MAX_KEYS) kept.delete(kept.keys().next().value as string);
    const entry = { until: now() + milliseconds, value: ask(question) };
    kept.set(key, entry);
    entry.value.catch(() => {
      if (kept.get(key) === entry) kept.delete(key);
    });
    return entry.value;
  };
}
