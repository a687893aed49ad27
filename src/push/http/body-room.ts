import { Refusal } from './route.ts';

/** How many bytes of bodies are in memory at the same time, at most. */
export interface RoomLimits {
  /** Of one app, and from one source address. */
  readonly each: number;
  /** Of all together. */
  readonly total: number;
}

/** Where the bodies of requests find room. */
export type BodyRoom = ReturnType<typeof createBodyRoom>;
/** The room of one request. */
export type Place = ReturnType<BodyRoom['open']>;

/** Makes the room for the bodies that are in memory at the same time, from their first byte to their answer. */
export function createBodyRoom({ each, total }: RoomLimits) {
  const used = new Map<string, number>();
  let all = 0;
  const add = (owners: readonly string[], bytes: number): void => {
    all += bytes;
    for (const owner of owners) {
      const left = (used.get(owner) ?? 0) + bytes;
      if (left === 0) used.delete(owner);
      else used.set(owner, left);
    }
  };
  return {
    /** The bytes that are in memory now. */
    held: () => all,
    /** A place for the body of one request, which belongs to its app and its source. */
    open(...owners: readonly string[]) {
      let mine = 0;
      let isClosed = false;
      return {
        /** Makes it room for `bytes`, of which it may have some already. Throws a Refusal while there is not so much. */
        reserve(bytes: number): void {
          const more = bytes - mine;
          // What still comes in after the answer is read by nobody, and there is no one left to give its room back.
          if (isClosed || more <= 0) return;
          const wait = { 'retry-after': '1' };
          if (owners.some((owner) => (used.get(owner) ?? 0) + more > each)) {
            const said = `At most ${each} bytes of bodies of one app, or from one source address, are taken at the same time; wait for the answers to those that are under way.`;
            throw new Refusal(429, said, wait);
          }
          if (all + more > total) {
            throw new Refusal(503, 'Too many bodies are coming in at this moment; try again in 1 s.', wait);
          }
          add(owners, more);
          mine = bytes;
        },
        /** Gives back all of it; to be called once the body is not needed any more. */
        close(): void {
          add(owners, -mine);
          mine = 0;
          isClosed = true;
        },
      };
    },
  };
}
