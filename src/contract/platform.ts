import * as z from 'zod';
import { acknowledge, read, unit } from './operation.ts';

/** The operations about the platform itself. They reach no target, and answer for the caller's own rights and operations only. */
export const platform = {
  /** Which operations this user may run in which unit; empty without any right. */
  me: read({ title: '我的权限', input: z.strictObject({}), output: z.record(unit, z.array(z.string())) }),
  'units.list': read({ title: '事业部', input: z.strictObject({}), output: z.array(unit) }),
  /**
   * Closes an operation whose answer got lost: one that has not begun never will, and anything else answers how it stands.
   * `pending` means that it still runs; the platform tells its user how it ends.
   */
  'operation.settle': acknowledge({
    title: '操作结果',
    input: z.strictObject({ id: z.uuid() }),
    output: z.strictObject({
      state: z.enum(['never', 'pending', 'done', 'failed', 'unknown']),
      text: z.string(),
    }),
  }),
  /** The user has read in a reply how these operations ended, so that the platform need not tell it. */
  'operation.received': acknowledge({
    title: '已收到结果',
    input: z.strictObject({ ids: z.array(z.uuid()).min(1).max(100) }),
    output: z.strictObject({}),
  }),
} as const;
