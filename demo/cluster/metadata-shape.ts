import * as z from 'zod';

const word = '[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?';
const prefix = '[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?/';
const labelName = new RegExp(`^(${prefix})?${word}$`);
const labelValue = new RegExp(`^(${word})?$`);

/** Annotations: names with text. */
export const annotations = z
  .record(z.string(), z.string())
  .refine((all) => Object.keys(all).every((name) => labelName.test(name)), {
    message:
      "a name has at most 63 letters, digits, '-', '_' and '.', and begins and ends with a letter or digit",
  });

/** Labels: names with words. */
export const labels = annotations.refine(
  (all) => Object.values(all).every((value) => labelValue.test(value)),
  {
    message:
      "a valid label must be an empty string or have at most 63 letters, digits, '-', '_' and '.', and begin and end with a letter or digit",
  },
);

/** One entry of `managedFields`: who wrote which fields last. */
export const managedFields = z.strictObject({
  manager: z.string(),
  operation: z.enum(['Apply', 'Update']),
  apiVersion: z.string(),
  time: z.string(),
  fieldsType: z.literal('FieldsV1'),
  fieldsV1: z.record(z.string(), z.unknown()),
  subresource: z.string().optional(),
});

/** Entries as a client may send them. */
export const ownerList = z.array(managedFields).min(1);

const owner = z.looseObject({ apiVersion: z.string(), kind: z.string(), name: z.string(), uid: z.string() });

/** What every object carries. */
export const metadata = z.looseObject({
  name: z
    .string()
    .max(253)
    .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'must be a lowercase RFC 1123 name'),
  namespace: z.string().optional(),
  uid: z.string(),
  resourceVersion: z.string(),
  generation: z.int().optional(),
  creationTimestamp: z.string(),
  deletionTimestamp: z.string().optional(),
  labels: labels.optional(),
  annotations: annotations.optional(),
  ownerReferences: z.array(owner).optional(),
  managedFields: z.array(managedFields).optional(),
});

/** One thing that holds of an object or does not, and since when. */
export const condition = z.looseObject({
  type: z.string(),
  status: z.string(),
  reason: z.string().optional(),
  message: z.string().optional(),
  lastUpdateTime: z.string().optional(),
  lastTransitionTime: z.string().optional(),
});
