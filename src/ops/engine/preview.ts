import { createHash, randomInt, randomUUID } from 'node:crypto';
import type { Preview } from '../../contract/answer.ts';
import { canonicalJson } from '../json.ts';
import type { Inspection } from '../operations/operation.ts';
import type { OperationStore, PreviewedRow } from './store.ts';

/** How long a preview may be confirmed. */
const VALID_MS = 120_000;

/** The user who asks for a preview, and the change it is of. `now` is Unix milliseconds. */
export interface PreviewOf {
  readonly user: string;
  readonly operation: string;
  readonly unit: string;
  readonly input: unknown;
  readonly now: number;
}

/** Stores what was found as a preview that its user can confirm once; the hash covers all that the user relies on. */
export async function storePreview(
  store: OperationStore,
  { user, operation, unit, input, now }: PreviewOf,
  found: Inspection,
): Promise<PreviewedRow> {
  const { target, lines, risk, version } = found;
  const covered = canonicalJson([user, operation, input, lines, version]);
  const row: PreviewedRow = {
    id: randomUUID(),
    user,
    operation,
    unit,
    target,
    input: canonicalJson(input),
    lines: canonicalJson(lines),
    risk,
    code: risk === 'high' ? String(randomInt(10_000)).padStart(4, '0') : null,
    hash: createHash('sha256').update(covered).digest('base64url'),
    version,
    before_value: canonicalJson(found.before),
    after_value: canonicalJson(found.after),
    created_at: now,
    expires_at: now + VALID_MS,
  };
  await store.insert(row);
  return row;
}

/** The preview as it is answered. */
export function previewOf({ id, hash, risk, lines, code, expires_at }: PreviewedRow): Preview {
  return {
    id,
    hash,
    risk: risk === 'low' ? 'low' : 'high',
    lines: JSON.parse(lines) as string[],
    ...(code !== null && { code }),
    expiresAt: expires_at,
  };
}
