import * as z from 'zod';
import { type Operations, unit } from './operation.ts';

/** The operations about the platform itself. They reach no target, and answer for the caller's own rights and operations only. */
export const platform = {
  /** Which operations this user may run in which unit; empty without any right. */
  me: {
    kind: 'read',
    title: '我的权限',
    input: z.strictObject({}),
    output: z.record(unit, z.array(z.string())),
  },
  'units.list': { kind: 'read', title: '事业部', input: z.strictObject({}), output: z.array(unit) },
  /**
   * Closes an operation whose answer got lost: one that has not begun never will, and anything else answers how it stands.
   * `pending` means that it still runs; the platform tells its user how it ends.
   */
  'operation.settle': {
    kind: 'acknowledge',
    title: '操作结果',
    input: z.strictObject({ id: z.uuid() }),
    output: z.object({
      state: z.enum(['never', 'pending', 'done', 'failed', 'unknown']),
      text: z.string(),
    }),
  },
  /** The user has read in a reply how these operations ended, so that the platform need not tell it. */
  'operation.received': {
    kind: 'acknowledge',
    title: '已收到结果',
    input: z.strictObject({ ids: z.array(z.uuid()).min(1).max(100) }),
    output: z.object({}),
  },
} as const satisfies Operations;
