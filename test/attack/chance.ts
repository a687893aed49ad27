/** The seed of this run: `SEED=…` gives that of another one again. */
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));

/** The same for fast-check, which prints the seed of what fails. */
export const seeded = process.env.SEED === undefined ? {} : { seed: SEED };

/** What a mutation draws from. */
export type Chance = ReturnType<typeof createChance>;

/** A source of chance that is the same for the same seed, which it prints; `name` keeps those of different tests apart. */
export function createChance(name: string) {
  process.stdout.write(`SEED=${SEED} ${name}\n`);
  let state = [...name].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) >>> 0, SEED >>> 0);
  // Mulberry32.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number): number => Math.floor(next() * end);
  const pick = <T>(all: readonly T[]): T => all[below(all.length)] as T;
  /** The text with one to four changes: pieces cut out, doubled, swapped for odd ones, or put in. */
  const mutate = (text: string, odd: readonly string[]): string => {
    let changed = text;
    for (let left = 1 + below(4); left > 0; left -= 1) {
      const at = below(changed.length + 1);
      const end = at + below(pick([2, 5, 40]));
      const middle = pick([
        '',
        changed.slice(at, end).repeat(2),
        pick(odd),
        `${changed.slice(at, end)}${pick(odd)}`,
      ]);
      changed = changed.slice(0, at) + middle + changed.slice(end);
    }
    return changed;
  };
  return { below, pick, mutate, seed: SEED };
}
