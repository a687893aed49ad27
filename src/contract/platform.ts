import * as z from 'zod';
import { read, unit } from './operation.ts';

/** How an operation ended, as a person is told. */
export const outcome = z.strictObject({
  id: z.uuid(),
  user: z.string(),
  state: z.enum(['done', 'failed', 'unknown']),
  text: z.string(),
});

/** The operations about the platform itself. They touch no target; the first two answer for the caller's own rights only. */
export const platform = {
  /** Which operations this user may run in which unit; empty without any right. */
  me: read({ title: '我的权限', input: z.strictObject({}), output: z.record(unit, z.array(z.string())) }),
  'units.list': read({ title: '事业部', input: z.strictObject({}), output: z.array(unit) }),
  /**
   * Closes an operation whose answer got lost: one that has not begun never will, and anything else answers how it stands.
   * `pending` means that it still runs and its outcome will be among `outcomes.claim`.
   */
  'operation.settle': read({
    title: '操作结果',
    input: z.strictObject({ id: z.uuid() }),
    output: z.strictObject({
      state: z.enum(['never', 'pending', 'done', 'failed', 'unknown']),
      text: z.string(),
    }),
  }),
  /** For the bot itself: finished operations whose user has not been told; each is lent for 30 s. */
  'outcomes.claim': read({ title: '待通知结果', input: z.strictObject({}), output: z.array(outcome) }),
  /** For the bot itself: these users have been told. */
  'outcomes.told': read({
    title: '已通知结果',
    input: z.strictObject({ ids: z.array(z.uuid()).max(100) }),
    output: z.strictObject({}),
  }),
} as const;

/** The subject of tokens for the operations that the bot runs on its own behalf: no userid can have this form. */
export const BOT_SUBJECT = '@bot';
