import { WeComError } from './wecom-error.ts';

/** Waits before the first, second and third repeat, in ms (§4: at most three). */
const BACK_OFF = [500, 1000, 2000] as const;

/**
 * Runs `attempt` until it succeeds, fails in a way that no retry can help, or has been repeated three times.
 * `canRepeat` decides; it sees only failures of the kind `retry`.
 */
export async function withRetry<T>(
  attempt: () => Promise<T>,
  sleep: (ms: number) => Promise<unknown>,
  canRepeat: (error: WeComError) => boolean = () => true,
): Promise<T> {
  for (const wait of BACK_OFF) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof WeComError) || error.kind !== 'retry' || !canRepeat(error)) throw error;
    }
    await sleep(wait);
  }
  return attempt();
}
