import type { Errcode } from '../../wecom/api/errcodes.ts';
import type { WeComError } from '../../wecom/api/wecom-error.ts';

/** What WeCom refused an account for, and when it is asked again. Times are Unix ms. */
export interface Paused {
  readonly since: number;
  readonly errcode: Errcode;
  /** What a person can do about it. */
  readonly advice: string;
  readonly nextProbeAt: number;
}

/** The right to call WeCom; while an account is paused only one call has it, the probe. */
export interface Pass {
  /** Whether a call may still go out under it: not when another call has begun a pause meanwhile. */
  allows(): boolean;
  /** WeCom refused the account; resolves to when to try again (Unix ms). A call from before the pause prolongs nothing. */
  refused(error: WeComError): number;
  /** WeCom answered without refusing the account: a probe ends the pause. */
  accepted(): void;
  /** Ends it. A probe that learned nothing leaves the pause as it is, and the next probe waits as long again. */
  release(): void;
}

/**
 * Holds the calls of one account while WeCom refuses all of them: a wrong secret, an address that is not trusted, an app
 * that is disabled. One for each account and process; each replica finds out by itself, and probes by itself.
 */
export type Pause = ReturnType<typeof createPause>;

/** The pass of what no account can hold up: group robots. */
export const freePass: Pass = {
  allows: () => true,
  refused: () => 0,
  accepted: () => {},
  release: () => {},
};

export interface PauseParts {
  /** Unix ms. */
  readonly now: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** How long until the first probe, ms; 5 s when left out. */
  readonly firstMs?: number;
  /** Called when a pause begins, and with null when it ends: for the log and the metric. */
  readonly onChange: (paused: Paused | null) => void;
}

const FIRST_MS = 5000;
/**
 * WeCom bans an address that keeps asking for a token with a wrong secret (§4.1), but not who calls with one. What somebody
 * mends in its console it knows within a minute, and what is wrong with a token ends by itself.
 */
const LONGEST_MS = { gettoken: 300_000, account: 60_000, token: 10_000 } as const;
/** How long a probe is waited for before another may go out. */
const PROBE_MS = 90_000;
/** How soon to ask again while a probe is under way. */
const PROBING_MS = 1000;
/** What waits looks again so often, for a pause also ends when the account is given a new secret. */
const LOOK_MS = 30_000;

/** Makes the pause of an account that is not paused. Probes wait 5 s, doubling up to 5 min at most, each × 0.5 to 1.5. */
export function createPause({ now, random, firstMs = FIRST_MS, onChange }: PauseParts) {
  let paused: Paused | null = null;
  let waitMs = firstMs;
  let probe: { readonly pass: Pass; readonly until: number } | null = null;

  const nextProbeAt = (): number => now() + Math.round(waitMs * (0.5 + random()));
  const until = (): number | null => {
    if (paused === null) return null;
    if (probe !== null && probe.until > now()) return now() + PROBING_MS;
    return paused.nextProbeAt > now() ? Math.min(paused.nextProbeAt, now() + LOOK_MS) : null;
  };
  const createPass = (): Pass => {
    const isProbe = () => probe?.pass === pass;
    const pass: Pass = {
      allows: () => paused === null || isProbe(),
      refused({ api, kind, errcode, advice }) {
        if (paused === null) {
          waitMs = firstMs;
          paused = { since: now(), errcode, advice, nextProbeAt: nextProbeAt() };
          onChange(paused);
        } else if (isProbe()) {
          waitMs = Math.min(
            2 * waitMs,
            LONGEST_MS[api === 'gettoken' ? api : kind === 'token' ? kind : 'account'],
          );
          paused = { ...paused, errcode, advice, nextProbeAt: nextProbeAt() };
          probe = null;
        }
        return until() ?? now();
      },
      accepted() {
        if (!isProbe()) return;
        [paused, probe] = [null, null];
        onChange(null);
      },
      release() {
        if (paused === null || !isProbe()) return;
        probe = null;
        paused = { ...paused, nextProbeAt: nextProbeAt() };
      },
    };
    return pass;
  };
  return {
    /** When to ask for a pass (Unix ms); null for now. Takes nothing. */
    until,
    /** A pass, or when to ask again (Unix ms). */
    enter(): Pass | { readonly at: number } {
      const at = until();
      if (at !== null) return { at };
      const pass = createPass();
      if (paused !== null) probe = { pass, until: now() + PROBE_MS };
      return pass;
    },
    /** Null while the account is not paused. */
    state: () => paused,
  };
}
