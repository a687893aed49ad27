import * as z from 'zod';
import { type Operations, unit } from './operation.ts';

/** One running connection. `key` names this very query, not just the connection: it changes with the next query. */
export const query = z.object({
  key: z.string(),
  label: z.string(),
  /** `#` and the connection: what may be typed for it. */
  name: z.string(),
  instance: z.string(),
  id: z.string().regex(/^\d{1,20}$/),
  query: z.string().regex(/^[\w:]{1,80}$/),
  user: z.string(),
  database: z.string(),
  seconds: z.int(),
  sql: z.string(),
});

/** The name of a MySQL server, as the policy and OPS_MYSQL_TARGETS spell it. */
export const instance = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'not an instance name');

/** The MySQL operations. `id` is the connection, `query` the fingerprint of the query that was shown. */
export const mysql = {
  'mysql.processlist': {
    kind: 'read',
    title: '当前连接',
    input: z.strictObject({ unit }),
    output: z.array(query),
  },
  'mysql.kill': {
    kind: 'change',
    title: '终止查询',
    input: z.strictObject({ unit, instance, id: query.shape.id, query: query.shape.query }),
  },
} as const satisfies Operations;
