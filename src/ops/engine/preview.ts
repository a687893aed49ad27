import { randomInt, randomUUID } from 'node:crypto';
import type { Preview } from '../../contract/answer.ts';
import { canonicalJson } from '../json.ts';
import { lookWithin } from './look.ts';
import { previewHash } from './operation-row.ts';
import type { RequestedChange } from './runner.ts';
import type { Replica } from './watcher.ts';

/** How long a preview may be confirmed. */
const VALID_MS = 120_000;

/**
 * Looks at the object, stores what was found as a preview that its user can confirm once, and answers it; the hash covers
 * all that the user relies on, and is that of no other preview. Throws Refused: `code` where one would be needed and
 * too many wrong ones were tried, `busy` where it could not be started now.
 */
export async function previewChange(
  { store, codeTries, clock }: Pick<Replica, 'store' | 'codeTries' | 'clock'>,
  { name: operation, definition, implementation, input, context, attempt }: RequestedChange,
): Promise<Preview> {
  await store.checkLimits({ name: operation, operation: implementation }, clock.now());
  let version = '';
  const { target, risk, ...found } = await lookWithin(clock, async () => {
    const inspected = await implementation.inspect(context, input);
    // It is compared and never shown: nothing in it may be taken for a secret, and hidden.
    version = inspected.version;
    return inspected;
  });
  const { user } = context;
  const now = clock.now();
  if (risk === 'high') await codeTries.check({ user, operation }, now);
  const id = randomUUID();
  const lines = [...found.lines];
  const row = { id, user, operation, input: canonicalJson(input), lines: canonicalJson(lines), version };
  const hash = previewHash(row, definition);
  const code = risk === 'high' ? String(randomInt(10_000)).padStart(4, '0') : null;
  const expiresAt = now + VALID_MS;
  const shown = {
    target,
    hash,
    before_value: canonicalJson(found.before),
    after_value: canonicalJson(found.after),
  };
  await store.insert({
    ...row,
    ...shown,
    unit: input.unit,
    risk,
    code,
    created_at: now,
    expires_at: expiresAt,
  });
  attempt.note(shown);
  await attempt.record('previewed');
  return { id, hash, risk, lines, ...(code !== null && { code }), expiresAt };
}
