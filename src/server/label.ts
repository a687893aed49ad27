/**
 * Bounds the values of one metric label: the first `limit` plain words pass, everything else is `other`, so that no
 * caller can fill the memory with time series.
 */
export function createLabel(limit = 64): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= limit || !/^[\w.:/-]{1,64}$/.test(value)) return 'other';
    known.add(value);
    return value;
  };
}
