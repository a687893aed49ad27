interface TtlCacheParts<Q, V> {
  readonly milliseconds: number;
  /** Beyond this many keys the oldest answer is forgotten. */
  readonly size: number;
  keyOf(question: Q): string;
  ask(question: Q): Promise<V>;
  /** Unix ms. */
  now(): number;
}

/**
 * Makes a memory in front of a slow source, whose answers are believed for a while. An answer is as old as its question:
 * what changed meanwhile may be missing from it. One question at a time for each key; failures are not kept.
 */
export function createTtlCache<Q, V>(parts: TtlCacheParts<Q, V>) {
  const { milliseconds, size, keyOf, ask, now } = parts;
  const kept = new Map<string, { readonly at: number; readonly value: Promise<V> }>();
  return {
    get(question: Q): Promise<V> {
      const key = keyOf(question);
      const known = kept.get(key);
      // A clock that was set back makes no answer last longer.
      if (known !== undefined && Math.abs(now() - known.at) < milliseconds) return known.value;
      kept.delete(key);
      if (kept.size >= size) kept.delete(kept.keys().next().value as string);
      const entry = { at: now(), value: ask(question) };
      kept.set(key, entry);
      entry.value.catch(() => {
        if (kept.get(key) === entry) kept.delete(key);
      });
      return entry.value;
    },
    /** Forgets the answer: the next `get` asks the source. */
    drop: (question: Q): void => void kept.delete(keyOf(question)),
  };
}
