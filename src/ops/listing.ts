import type * as z from 'zod';
import type { Unread } from '../contract/operation.ts';
import { Refused } from '../errors.ts';
import { TargetFailed } from './target-failed.ts';

/** Where the rows of a list come from. */
interface Source<P, I, R> {
  /** Each of these is read for itself, all at once. */
  readonly places: readonly P[];
  /** A place in a sentence, such as `命名空间 shop`. */
  nameOf(place: P): string;
  /** Names in `unread` what it leaves out. Throws Refused or TargetFailed. */
  read(place: P): Promise<readonly I[] & Unread>;
  /** The row of one item. */
  rowOf(item: I, place: P): R;
  /** What the contract says of a row. */
  readonly form: z.ZodType<R>;
}

/**
 * Makes a list of what several places hold. A place that cannot be read costs its own rows, an item that makes no row as
 * the contract has it costs itself, and both are named in `unread`. Throws what the first place threw when none could be
 * read.
 */
export async function listOf<P, I, R>({
  places,
  nameOf,
  read,
  rowOf,
  form,
}: Source<P, I, R>): Promise<R[] & Unread> {
  const readings = await Promise.allSettled(places.map(read));
  const rows: R[] = [];
  const unread: string[] = [];
  let failure: unknown;
  for (const [index, reading] of readings.entries()) {
    const place = places[index] as P;
    if (reading.status === 'fulfilled') {
      const made = reading.value.map((item) => rowIn(form, () => rowOf(item, place)));
      rows.push(...made.filter((row) => row !== undefined));
      const odd = made.filter((row) => row === undefined).length;
      const said = [...(reading.value.unread ?? []), ...(odd > 0 ? [`有 ${odd} 项看不懂`] : [])];
      unread.push(...said.map((what) => `${nameOf(place)}：${what}`));
    } else {
      const error: unknown = reading.reason;
      if (!(error instanceof TargetFailed || error instanceof Refused)) throw error;
      failure ??= error;
      unread.push(`${nameOf(place)}：${error.message}`);
    }
  }
  if (failure !== undefined && readings.every(({ status }) => status === 'rejected')) throw failure;
  return unread.length === 0 ? rows : Object.assign(rows, { unread });
}

/** Servers answer what no documentation has: then there is no row. */
function rowIn<R>(form: z.ZodType<R>, make: () => R): R | undefined {
  try {
    return form.safeParse(make()).data;
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

/** What was read of a place that holds more than is read of it. */
export function cutShort<I>(items: readonly I[], which: string): readonly I[] & Unread {
  return Object.assign([...items], { unread: [`太多，只列出${which} ${items.length} 项`] });
}
