/** One message that waits in this process for the turn of its user. */
export interface Place {
  /** Resolves at the next end of a turn of this user here at which nobody stands before it. */
  called(): Promise<void>;
  leave(): void;
}

/** Those who wait in this process, by user, in order of arrival. */
export type Waiting = ReturnType<typeof createWaiting>;

/**
 * Makes what tells those who wait in this process that a turn has ended here, so that they need not ask Redis for it.
 * Who has the turn is decided there alone: whoever is called asks, and may hear that a message of another replica is first.
 */
export function createWaiting() {
  const lines = new Map<string, Set<() => void>>();
  return {
    join(user: string): Place {
      const line = lines.get(user) ?? new Set();
      lines.set(user, line);
      let bell = Promise.withResolvers<void>();
      const ring = (): void => {
        bell.resolve();
        bell = Promise.withResolvers();
      };
      line.add(ring);
      return {
        called: () => bell.promise,
        leave(): void {
          line.delete(ring);
          if (line.size === 0) lines.delete(user);
        },
      };
    },
    /** A turn of the user has ended. */
    callNext(user: string): void {
      const [first] = lines.get(user) ?? [];
      first?.();
    },
  };
}
