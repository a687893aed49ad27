import { createHash, randomInt, randomUUID } from 'node:crypto';
import type { Preview } from '../../contract/answer.ts';
import { canonicalJson } from '../json.ts';
import type { Inspection } from '../operations/operation.ts';
import type { RequestedChange } from './runner.ts';
import type { OperationStore } from './store.ts';

/** How long a preview may be confirmed. */
const VALID_MS = 120_000;

/**
 * Stores what was found as a preview that its user can confirm once, and answers it; the hash covers all that the user
 * relies on. `now` is Unix milliseconds.
 */
export async function storePreview(
  store: OperationStore,
  { name: operation, input, context: { subject } }: RequestedChange,
  found: Inspection,
  now: number,
): Promise<Preview> {
  const { target, risk, version } = found;
  const { user } = subject;
  const id = randomUUID();
  const covered = canonicalJson([user, operation, input, found.lines, version]);
  const hash = createHash('sha256').update(covered).digest('base64url');
  const code = risk === 'high' ? String(randomInt(10_000)).padStart(4, '0') : null;
  const expiresAt = now + VALID_MS;
  const lines = [...found.lines];
  await store.insert({
    id,
    user,
    operation,
    unit: input.unit,
    target,
    input: canonicalJson(input),
    lines: canonicalJson(lines),
    risk,
    code,
    hash,
    version,
    before_value: canonicalJson(found.before),
    after_value: canonicalJson(found.after),
    created_at: now,
    expires_at: expiresAt,
  });
  return { id, hash, risk, lines, ...(code !== null && { code }), expiresAt };
}
