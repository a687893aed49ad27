import * as z from 'zod';
import { ID, pageLimit } from '../content/fields.ts';
import { deliveryStates } from '../content/message.ts';
import { nextPage, type Route, route } from '../http/route.ts';
import { campaignSchema, receiverSchema } from './campaign-schema.ts';
import { findCampaign, listCampaigns } from './campaign-store.ts';
import { commands, type OrderParts, order } from './control.ts';
import { createCampaign } from './create-campaign.ts';
import { listDeliveries, listWaiting, receiverPage } from './receivers-store.ts';
import { lineOf, lineSchema, wholeOf, wholeSchema } from './view.ts';

const after = z.string().regex(ID, 'must be the id of a campaign').optional();
const limit = pageLimit(100);
/** What to ask for as `after`; none on the last page. */
const next = z.string().optional();
const missing = { 404: 'This app has no such campaign.' };

/** A line has at most 4 KiB, so a million of them can be no longer than this. */
const BODY_LIMIT = 4_100_000_000;

/** The routes under /v1/campaigns; an app sees its own only. */
export function campaignRoutes(parts: OrderParts): readonly Route[] {
  const { db } = parts;
  return [
    route('POST /campaigns', {
      summary:
        'Makes a campaign from NDJSON: first { name, template, … }, then a line for each receiver, "userid" or { user, variables }.',
      reads: 'stream',
      accepts: { 'application/x-ndjson': z.union([campaignSchema, receiverSchema]) },
      bodyLimit: BODY_LIMIT,
      answers: {
        201: z.object({ id: z.string(), state: z.string(), total: z.int(), doubles: z.int() }),
        400: 'A line is wrong, and named; nothing was kept.',
        404: 'There is no such account.',
        409: 'The idempotencyKey was used for another campaign, or that one is being loaded.',
      },
      async reply(ask) {
        const { id, state, total, doubles } = await createCampaign(parts, ask);
        return { id, state, total, doubles };
      },
    }),
    route('GET /campaigns', {
      summary: 'Campaigns, newest first; `next` goes into `after`.',
      query: z.strictObject({ after, limit }),
      answers: { 200: z.object({ campaigns: z.array(lineSchema), next }) },
      async reply({ caller, query: { after, limit } }) {
        const rows = await listCampaigns(db, caller.app, { after, limit });
        return { campaigns: rows.map(lineOf), ...nextPage(rows, limit, ({ id }) => id) };
      },
    }),
    route('GET /campaigns/:id', {
      summary: 'A campaign with the progress of its last run.',
      answers: { 200: wholeSchema, ...missing },
      reply: async ({ caller, params: { id = '' } }) => wholeOf(db, await findCampaign(db, caller.app, id)),
    }),
    ...(['start', 'pause', 'resume', 'stop'] as const).map((command) =>
      route(`POST /campaigns/:id/${command}`, {
        summary: commands[command].about,
        answers: {
          200: wholeSchema,
          403: 'The app may not use the template any more.',
          409: 'The campaign is in a state where this means nothing.',
          ...missing,
        },
        reply: async ({ caller, params: { id = '' } }) =>
          wholeOf(db, await order(parts, caller, { command, id })),
      }),
    ),
    route('GET /campaigns/:id/receivers', {
      summary: 'Receivers of the last run in one state; `next` goes into `after`.',
      query: z.strictObject({
        state: z.enum([...deliveryStates, 'waiting']).default('failed'),
        after: z
          .string()
          .regex(/^\d{0,16}(\.\d{1,16})?$/, 'must be the `next` of the page before')
          .default(''),
        limit,
      }),
      answers: { 200: receiverPage, ...missing },
      async reply({ caller, params: { id = '' }, query: { state, ...page } }) {
        const row = await findCampaign(db, caller.app, id);
        return state === 'waiting' ? listWaiting(db, row, page) : listDeliveries(db, row, { state, ...page });
      },
    }),
  ];
}
