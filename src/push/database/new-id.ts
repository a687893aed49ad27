import { randomUUID } from 'node:crypto';

/** A UUID of version 7: ids made later sort later, so that new rows stand at the end of the index. */
export function newId(now: number): string {
  const time = now.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}
