import { randomBytes } from 'node:crypto';
import { ApiError } from './api-error.ts';
import type { Clock } from './app.ts';

/** One uploaded file; `owner` is the robot whose it is, or null when every app may use it (protocol §4.6, §5). */
export interface Upload {
  readonly type: string;
  readonly name: string;
  readonly bytes: Buffer;
  readonly owner: string | null;
  readonly time: number;
}

/** What was uploaded, by media_id. */
export interface Uploads {
  add(upload: Omit<Upload, 'time'>): string;
  /** Throws 40007 for one that is not there, older than three days, of another type, or another robot's. */
  find(mediaId: unknown, type: string, owner: string | null): Upload;
  /** Whether there is one that this owner may use, whatever its type. */
  has(mediaId: string, owner: string | null): boolean;
  /** Whatever its type and owner; undefined when it is not kept any more. */
  get(mediaId: string): Upload | undefined;
  /** How many were ever uploaded. */
  count(): number;
}

const LIFE_MS = 3 * 24 * 3600 * 1000;
/** The oldest are forgotten beyond that. */
const MOST_BYTES = 100 * 1024 * 1024;

/** Makes an empty store. */
export function createUploads(clock: Clock): Uploads {
  const byId = new Map<string, Upload>();
  let bytes = 0;
  let count = 0;
  const isAlive = ({ time }: Upload): boolean => clock() < time + LIFE_MS;

  return {
    add: (fields) => {
      const id = randomBytes(24).toString('base64url');
      byId.set(id, { ...fields, time: clock() });
      count += 1;
      bytes += fields.bytes.length;
      for (const [oldest, upload] of byId) {
        if (bytes <= MOST_BYTES) break;
        byId.delete(oldest);
        bytes -= upload.bytes.length;
      }
      return id;
    },
    find: (mediaId, type, owner) => {
      const found = typeof mediaId === 'string' ? byId.get(mediaId) : undefined;
      const isUsable = found?.type === type && found.owner === owner && isAlive(found);
      if (!found || !isUsable) throw new ApiError(40007);
      return found;
    },
    has: (mediaId, owner) => {
      const found = byId.get(mediaId);
      return found !== undefined && found.owner === owner && isAlive(found);
    },
    get: (mediaId) => byId.get(mediaId),
    count: () => count,
  };
}
