import * as z from 'zod';
import { checkContent } from '../content/content-schema.ts';
import { pageLimit, variablesSchema } from '../content/fields.ts';
import { fill, USERID } from '../content/fill.ts';
import { nextPage, Refusal, type Route, route } from '../http/route.ts';
import { newTemplate, templateLine, templateView, version } from './template.ts';
import type { Templates } from './template-store.ts';

const page = z.strictObject({
  // The column is ASCII; MySQL would refuse to compare other signs.
  after: z
    .string()
    .regex(/^[A-Za-z0-9._-]{0,32}$/, 'must be the key of a template')
    .default(''),
  limit: pageLimit(500),
});
const preview = z.strictObject({
  variables: variablesSchema.default({}),
  userid: z.string().min(1).max(64).optional(),
});

const VERSIONS = 100;
const missing = { 404: 'There is no such template or version.' };

/** The routes under /v1/templates. */
export function templateRoutes({ templates }: { readonly templates: Templates }): readonly Route[] {
  const found = <Found>(key: string, template: Found | null): Found => {
    if (template !== null) return template;
    throw new Refusal(404, `there is no template "${key}"; GET /v1/templates lists them`);
  };
  return [
    route('PUT /templates/:key', {
      summary: 'Makes a new version of a template. With `version` only if that one is live (0: none is).',
      body: newTemplate,
      answers: { 200: templateView, 409: 'Another version is live than the one named.' },
      reply: ({ params: { key = '' }, body, caller }) => templates.put(key, body, caller.app),
    }),
    route('GET /templates/:key', {
      summary: 'The live version of a template.',
      answers: { 200: templateView, ...missing },
      reply: async ({ params: { key = '' } }) => found(key, await templates.get(key)),
    }),
    route('GET /templates', {
      summary: 'Live templates by key, without their contents; `next` goes into `after`.',
      query: page,
      answers: { 200: z.object({ templates: z.array(templateLine), next: z.string().optional() }) },
      async reply({ query: { after, limit } }) {
        const lines = await templates.list(after, limit);
        return { templates: lines, ...nextPage(lines, limit, ({ key }) => key) };
      },
    }),
    route('DELETE /templates/:key', {
      summary: 'Takes a template out of use; its versions can still be restored.',
      answers: { 200: z.object({}), ...missing },
      reply: async ({ params: { key = '' } }) => found(key, (await templates.remove(key)) ? {} : null),
    }),
    route('GET /templates/:key/versions', {
      summary: 'The newest 100 versions of a template, newest first, also of a deleted one.',
      answers: { 200: z.object({ versions: z.array(templateLine) }), ...missing },
      async reply({ params: { key = '' } }) {
        const versions = await templates.versions(key, VERSIONS);
        return found(key, versions.length === 0 ? null : { versions });
      },
    }),
    route('POST /templates/:key/restore', {
      summary: 'Makes a new version that is as an earlier one was.',
      body: z.strictObject({ version }),
      answers: { 200: templateView, ...missing },
      reply: ({ params: { key = '' }, body, caller }) => templates.restore(key, body.version, caller.app),
    }),
    route('POST /templates/:key/preview', {
      summary: 'The template filled as for a message, without sending anything.',
      body: preview,
      answers: {
        200: z.object({ version, content: z.record(z.string(), z.unknown()) }),
        400: 'A variable is missing, or the filled content is too long.',
        ...missing,
      },
      async reply({ params: { key = '' }, body: { variables, userid } }) {
        const values = userid === undefined ? variables : { ...variables, [USERID]: userid };
        found(key, await templates.get(key));
        const resolved = await templates.resolve(key, values);
        const content = fill(resolved.content, values);
        checkContent(content, []);
        return { version: resolved.version, content };
      },
    }),
  ];
}
