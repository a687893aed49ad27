import { z } from 'zod';
import { USERID_OR_ALL } from '../../wecom/userid.ts';
import { contentKinds } from '../content/content.ts';
import { contentFields, oneKind } from '../content/content-schema.ts';
import {
  callbackUrlSchema,
  ID,
  optionalAccount,
  pageLimit,
  templateSchema,
  textOf,
  timeOr,
  webAddress,
} from '../content/fields.ts';
import { deliveryStates, lanes } from '../content/message.ts';
import { opaqueOf } from '../content/opaque.ts';

const DAY_MS = 86_400_000;
const MOST_DAYS_AHEAD = 90;

/** What a message may say: a content, the address of a picture, or a template. */
const kinds = [...contentKinds, 'imageUrl', 'template'] as const;

/** §4.8; lower case, since WeCom ignores it. */
const userid = z.string().regex(USERID_OR_ALL, 'must be a userid, or @all alone').toLowerCase();

/** Ids of departments and tags are numbers. */
const numericId = z
  .union(
    [z.int().min(1).max(4_294_967_295), z.string().regex(/^[1-9]\d{0,9}$/, 'must be an id, a number from 1')],
    'must be an id, a number from 1',
  )
  .transform(String);

const listOf = <T extends z.ZodType>(item: T, max: number) =>
  z
    .array(item)
    .max(max, `must be at most ${max}; send several messages`)
    .default([] as never[]);

const toSchema = z
  .strictObject({
    users: listOf(userid, 1000),
    departments: listOf(numericId, 100),
    tags: listOf(numericId, 100),
    chats: listOf(
      z.string().regex(/^[0-9A-Za-z]{1,32}$/, 'must be a chatid, 1 to 32 letters and digits'),
      100,
    ),
    robots: listOf(z.string().regex(/^[\w.-]{1,64}$/, 'must be the name of a robot'), 20),
  })
  .refine((to) => Object.values(to).some((list) => list.length > 0), 'must name at least one receiver')
  // WeCom ignores everybody else then (§4.2).
  .refine(
    ({ users, departments, tags }) =>
      !users.includes('@all') || users.length + departments.length + tags.length === 1,
    'must have @all without other users, departments or tags',
  );

/** Of POST /v1/media, or of an earlier message. */
const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be the SHA-256 of an earlier upload, 64 hex digits in lower case');

const time = timeOr(z.int().min(0), ', such as 2026-11-21T08:00:00+08:00');

const content = contentFields('literal');

/** One message as an app hands it in; `now` is Unix ms. */
export function messageSchema(now: () => number) {
  return z
    .strictObject({
      to: toSchema,
      ...z.strictObject(content).partial().shape,
      mentioned: content.mentioned.transform((list) => list.map((id) => id.toLowerCase())).optional(),
      // A picture is shown without a name.
      image: z.strictObject({ sha256, name: z.string().max(128).default('') }).optional(),
      file: z.strictObject({ sha256, name: textOf(128) }).optional(),
      imageUrl: webAddress.optional(),
      template: templateSchema.optional(),
      // MySQL takes "a" and "a " for the same.
      idempotencyKey: textOf(128)
        .refine((key) => !key.endsWith(' '), 'must not end in a space')
        .optional(),
      opaque: opaqueOf(textOf(1024)).optional(),
      account: optionalAccount,
      priority: z.enum(lanes).default('normal'),
      sendAt: time.refine(
        (at) => at === undefined || at <= now() + MOST_DAYS_AHEAD * DAY_MS,
        `must be at most ${MOST_DAYS_AHEAD} days ahead`,
      ),
      callbackUrl: callbackUrlSchema.optional(),
      wait: z.boolean().default(false),
    })
    .superRefine(oneKind(kinds))
    .refine(
      ({ template, mentioned, plainTextFor }) =>
        template === undefined || (mentioned === undefined && plainTextFor === undefined),
      'may have mentioned and plainTextFor not beside template; they belong into the template',
    )
    .refine(
      ({ wait, sendAt }) => !wait || sendAt === undefined || sendAt <= now(),
      'may have wait only without a sendAt in the future',
    );
}

/** A message whose form is right. */
export type HandedMessage = z.output<ReturnType<typeof messageSchema>>;
/** The same as its caller writes it. */
export type GivenMessage = z.input<ReturnType<typeof messageSchema>>;

const timeOfQuery = timeOr(z.string().regex(/^\d{1,11}$/));

/** What the list of messages can be asked for, read as the database is: times in Unix ms, `after` as a place. */
export const messageQuery = z.strictObject({
  state: z.enum(deliveryStates).optional(),
  receiver: z
    .string()
    .regex(
      /^(user|party|tag|chat|robot):[\w.@-]{1,64}$/,
      'must be like user:zhangsan, party:2, tag:7, chat:ID or robot:NAME',
    )
    .transform((receiver) => (receiver.startsWith('user:') ? receiver.toLowerCase() : receiver))
    .optional(),
  since: timeOfQuery,
  until: timeOfQuery,
  priority: z.enum(lanes).optional(),
  template: z.string().max(32).optional(),
  campaign: z.string().regex(ID, 'must be the id of a campaign').optional(),
  limit: pageLimit(100, 50),
  /** The last of the page before. */
  after: z
    .string()
    .regex(/^\d{1,15}\.[0-9a-f-]{36}$/, 'must be the `next` of the page before')
    .transform((place) => {
      const [createdAt = '', id = ''] = place.split('.');
      return { createdAt: Number(createdAt), id };
    })
    .optional(),
});
/** Which messages are wanted. */
export type MessageFilter = z.output<typeof messageQuery>;
