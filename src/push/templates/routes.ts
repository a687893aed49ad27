import * as z from 'zod';
import { checkContent } from '../content/content-schema.ts';
import { pageLimit, variablesSchema } from '../content/fields.ts';
import { fill, USERID } from '../content/fill.ts';
import { type Answer, nextPage, Refusal, type Route, route } from '../http/route.ts';
import { newTemplate, templateLine, templateView, version } from './template.ts';
import type { Templates } from './template-store.ts';

const scope = 'templates';
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
const missing = { 404: { about: 'There is no such template or version.' } };

/** The routes under /v1/templates; each takes the scope `templates`. */
export function templateRoutes({ templates }: { readonly templates: Templates }): readonly Route[] {
  const found = (key: string, body: unknown): Answer => {
    if (body !== null) return { status: 200, body };
    throw new Refusal(404, `there is no template "${key}"; GET /v1/templates lists them`);
  };
  return [
    route({
      method: 'PUT',
      path: '/templates/:key',
      summary: 'Makes a new version of a template. With `version` only if that one is live (0: none is).',
      scope,
      body: newTemplate,
      answers: {
        200: { about: 'The new version is live.', schema: templateView },
        409: { about: 'Another version is live than the one named.' },
      },
      async handle({ params: { key = '' }, body, caller }) {
        return { status: 200, body: await templates.put(key, body, caller.app) };
      },
    }),
    route({
      method: 'GET',
      path: '/templates/:key',
      summary: 'The live version of a template.',
      scope,
      answers: { 200: { about: 'The template.', schema: templateView }, ...missing },
      handle: async ({ params: { key = '' } }) => found(key, await templates.get(key)),
    }),
    route({
      method: 'GET',
      path: '/templates',
      summary: 'Live templates by key, without their contents; `next` goes into `after`.',
      scope,
      query: page,
      answers: {
        200: {
          about: 'A page.',
          schema: z.object({ templates: z.array(templateLine), next: z.string().optional() }),
        },
      },
      async handle({ query: { after, limit } }) {
        const lines = await templates.list(after, limit);
        return { status: 200, body: { templates: lines, ...nextPage(lines, limit, ({ key }) => key) } };
      },
    }),
    route({
      method: 'DELETE',
      path: '/templates/:key',
      summary: 'Takes a template out of use; its versions can still be restored.',
      scope,
      answers: { 200: { about: 'It is out of use.' }, ...missing },
      handle: async ({ params: { key = '' } }) => found(key, (await templates.remove(key)) ? {} : null),
    }),
    route({
      method: 'GET',
      path: '/templates/:key/versions',
      summary: 'The newest 100 versions of a template, newest first, also of a deleted one.',
      scope,
      answers: {
        200: { about: 'The versions.', schema: z.object({ versions: z.array(templateLine) }) },
        ...missing,
      },
      async handle({ params: { key = '' } }) {
        const versions = await templates.versions(key, VERSIONS);
        return found(key, versions.length === 0 ? null : { versions });
      },
    }),
    route({
      method: 'POST',
      path: '/templates/:key/restore',
      summary: 'Makes a new version that is as an earlier one was.',
      scope,
      body: z.strictObject({ version }),
      answers: { 200: { about: 'The new version is live.', schema: templateView }, ...missing },
      async handle({ params: { key = '' }, body, caller }) {
        return { status: 200, body: await templates.restore(key, body.version, caller.app) };
      },
    }),
    route({
      method: 'POST',
      path: '/templates/:key/preview',
      summary: 'The template filled as for a message, without sending anything.',
      scope,
      body: preview,
      answers: {
        200: {
          about: 'The filled content.',
          schema: z.object({ version, content: z.record(z.string(), z.unknown()) }),
        },
        400: { about: 'A variable is missing, or the filled content is too long.' },
      },
      async handle({ params: { key = '' }, body: { variables, userid } }) {
        const values = userid === undefined ? variables : { ...variables, [USERID]: userid };
        const resolved = await templates.resolve(key, values);
        const content = fill(resolved.content, values);
        checkContent(content, []);
        return { status: 200, body: { version: resolved.version, content } };
      },
    }),
  ];
}
