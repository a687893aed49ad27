import * as z from 'zod';
import { unit } from './operation.ts';

/** What bot and ops agree on of an operation about the platform itself. */
interface PlatformOperation {
  /**
   * A `read` touches nothing. An `acknowledge` writes the platform's own records and nothing else; every user may run it,
   * for operations of their own, and no menu entry does. Both run at once and answer `output`.
   */
  readonly kind: 'read' | 'acknowledge';
  readonly title: string;
  readonly input: z.ZodType;
  readonly output: z.ZodType;
}

/**
 * The operations about the platform itself. They reach no target, and answer for the caller's own rights and operations
 * only. All others are files of `operations/`, which the bot learns of from the catalogue.
 */
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
} as const satisfies Readonly<Record<string, PlatformOperation>>;

type Platform = typeof platform;
export type PlatformName = keyof Platform;
type Named<K extends PlatformOperation['kind']> = {
  [N in PlatformName]: Platform[N]['kind'] extends K ? N : never;
}[PlatformName];
export type PlatformRead = Named<'read'>;
export type AcknowledgeName = Named<'acknowledge'>;
export type InputOf<N extends PlatformName> = z.infer<Platform[N]['input']>;
export type OutputOf<N extends PlatformName> = z.infer<Platform[N]['output']>;

/** Narrows a string to the name of an operation about the platform itself. */
export function isPlatform(name: string): name is PlatformName {
  return Object.hasOwn(platform, name);
}
