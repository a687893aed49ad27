import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { routeScopes } from '../../../src/push/apps/scopes.ts';
import { campaignSchema } from '../../../src/push/campaigns/campaign-schema.ts';
import { campaignRoutes } from '../../../src/push/campaigns/routes.ts';
import { directoryRoutes } from '../../../src/push/directory/routes.ts';
import type { Route } from '../../../src/push/http/route.ts';
import { mediaRoutes } from '../../../src/push/media/routes.ts';
import { messageSchema } from '../../../src/push/messages/message-schema.ts';
import { templateRoutes } from '../../../src/push/templates/routes.ts';
import { openMessageRoutes } from '../messages/message-routes-harness.ts';
import { type ApiHarness, openApiHarness } from './api-harness.ts';

let api: ApiHarness;
let routes: readonly Route[];
beforeAll(async () => {
  api = await openApiHarness((parts) => {
    routes = [
      ...openMessageRoutes(parts).routes,
      ...directoryRoutes({} as Parameters<typeof directoryRoutes>[0]),
      ...templateRoutes({} as Parameters<typeof templateRoutes>[0]),
      ...mediaRoutes({} as Parameters<typeof mediaRoutes>[0]),
      ...campaignRoutes({} as Parameters<typeof campaignRoutes>[0]),
    ];
    return routes;
  });
  await api.newApp('ci', ['text']);
});
afterAll(() => api.stop());

type ByName<T> = Readonly<Record<string, T>>;
/** The document, as far as is looked into it. */
interface Schema {
  readonly properties?: ByName<Schema>;
}
interface Operation {
  readonly requestBody: { readonly content: ByName<{ readonly schema: Schema }> };
}
interface Document {
  /** By path, then by method. */
  readonly paths: ByName<ByName<Operation>>;
  readonly security: readonly object[];
}

async function readDocument(): Promise<Document> {
  const { status, body } = await api.say({ path: '/v1/openapi.json' });
  expect(status).toBe(200);
  return body as unknown as Document;
}

test('docs/push.md tells every route, every field of messages and campaigns, and every scope', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../../docs/push.md'), 'utf8');
  const { to, ...fields } = messageSchema(Date.now).shape;
  const shapes = [fields, to.shape, campaignSchema.shape];
  const words = [...shapes.flatMap((shape) => Object.keys(shape)), ...routeScopes];
  const steps = routes.map(({ path }) => path.split('/').findLast((step) => !step.startsWith(':')) ?? '');
  const missing = [...words, ...steps].filter((word) => !new RegExp(`[\`"/]${word}\\b`).test(guide));
  expect(missing).toEqual([]);
});

test('the OpenAPI document tells of every route, and of itself', async () => {
  const { paths } = await readDocument();
  const told = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const own = routes.map(({ method, path }) => `${method} /v1${path.replace(/:(\w+)/g, '{$1}')}`);
  expect(told.toSorted()).toEqual([...own, 'GET /v1/openapi.json'].toSorted());
});

test('the OpenAPI document tells how pictures, files and campaigns are sent', async () => {
  const { paths } = await readDocument();
  const taken = (path: string) => paths[path]?.post?.requestBody.content ?? {};
  expect(Object.keys(taken('/v1/messages')['multipart/form-data']?.schema.properties ?? {})).toEqual([
    'message',
    'image',
    'file',
  ]);
  expect(taken('/v1/media')).toMatchObject({ 'application/octet-stream': { schema: { format: 'binary' } } });
  expect(Object.keys(taken('/v1/campaigns'))).toEqual(['application/x-ndjson']);
});

test('the OpenAPI document tells what a message looks like, and that requests are signed', async () => {
  const { paths, security } = await readDocument();
  const content = paths['/v1/messages']?.post?.requestBody.content['application/json'];
  const properties = content?.schema.properties ?? {};
  expect(Object.keys(properties)).toEqual(
    expect.arrayContaining(['to', 'text', 'imageUrl', 'template', 'wait', 'idempotencyKey']),
  );
  expect(properties.to?.properties?.users).toMatchObject({ type: 'array', maxItems: 1000 });
  expect(Object.keys(security[0] ?? {})).toEqual([
    'X-Keypad-App',
    'X-Keypad-Timestamp',
    'X-Keypad-Nonce',
    'X-Keypad-Content-SHA256',
    'X-Keypad-Signature',
  ]);
});
