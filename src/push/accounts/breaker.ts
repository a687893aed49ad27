export type BreakerState = 'closed' | 'open' | 'half-open';

/** Spares an app that WeCom does not answer the calls that would fail as well. One for each app and process. */
export type Breaker = ReturnType<typeof createBreaker>;

export interface BreakerParts {
  /** Unix ms. */
  readonly now: () => number;
  /** Called with every change, for metrics and log. */
  readonly onChange: (state: BreakerState) => void;
}

const BAD_IN_A_ROW = 5;
/** So many last results are looked at as a whole, once there are as many; half of them bad is too bad. */
const LAST = 20;
const OPEN_MS = 1000;
const LONGEST_OPEN_MS = 30_000;
/** A call that was let through and has no result by then never will have one. */
const TRY_MS = 30_000;
/** How soon to ask again while another tries. */
const TRY_AGAIN_MS = 1000;

/**
 * Makes a closed breaker. It opens after 5 bad results in a row, or when half of the last 20 are bad; for 1 s, and
 * twice as long after each try that fails, up to 30 s. A good try closes it and forgets what was.
 */
export function createBreaker({ now, onChange }: BreakerParts) {
  let state: BreakerState = 'closed';
  let last: readonly boolean[] = [];
  let openMs = OPEN_MS;
  let openUntil = 0;
  let tryUntil = 0;

  const turn = (to: BreakerState) => {
    state = to;
    onChange(to);
  };
  const open = () => {
    openUntil = now() + openMs;
    turn('open');
  };
  const look = () => {
    if (state !== 'open' || now() < openUntil) return;
    tryUntil = 0;
    turn('half-open');
  };

  const until = (): number | null => {
    look();
    if (state === 'open') return openUntil;
    return state === 'half-open' && now() < tryUntil ? Math.min(tryUntil, now() + TRY_AGAIN_MS) : null;
  };

  return {
    /** When to ask (Unix ms); null for now. Takes nothing. */
    until,
    /**
     * Whether a call may go out; `at` (Unix ms) says when to ask again. Ask last, with everything else at hand: while the
     * breaker is half open, who is let through holds the only try until its result is recorded, or for half a minute.
     */
    ask(): { readonly isOpen: false } | { readonly isOpen: true; readonly at: number } {
      const at = until();
      if (at !== null) return { isOpen: true, at };
      if (state === 'half-open') tryUntil = now() + TRY_MS;
      return { isOpen: false };
    },
    /** How a call went: `bad` is -1, `unsent` or `lost` (an HTTP 5xx is lost); any other answer of WeCom is `good`. */
    record(result: 'good' | 'bad'): void {
      look();
      // Calls that went out before it opened have had their say.
      if (state === 'open') return;
      const isGood = result === 'good';
      if (state === 'closed') {
        last = [...last.slice(1 - LAST), isGood];
        if (isTooBad(last)) open();
        return;
      }
      last = [];
      openMs = isGood ? OPEN_MS : Math.min(2 * openMs, LONGEST_OPEN_MS);
      if (isGood) turn('closed');
      else open();
    },
    state(): BreakerState {
      look();
      return state;
    },
  };
}

function isTooBad(last: readonly boolean[]): boolean {
  const inARow = last.slice(-BAD_IN_A_ROW);
  if (inARow.length === BAD_IN_A_ROW && !inARow.includes(true)) return true;
  return last.length === LAST && last.filter((isGood) => !isGood).length >= LAST / 2;
}
