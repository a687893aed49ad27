import * as z from 'zod';

/** The address to which results are posted. Whether the app may name this host is another question. */
export const callbackUrlSchema = z
  .url({ protocol: /^https?$/, error: 'must be an http or https address' })
  .max(2048, 'must be at most 2048 characters long')
  .refine((url) => !new URL(url).username && !new URL(url).password, 'must be without a login');
