import { vi } from 'vitest';

/** Waits until the check holds; a busy machine may take its time. */
export function until<T>(check: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(check, { timeout: 20_000, interval: 10 });
}
