import { type ZodType, z } from 'zod';
import { purposes, signatureHeaders } from '../apps/signature.ts';
import { type Route, route } from './route.ts';

type Json = Readonly<Record<string, unknown>>;

/** The route of the OpenAPI document of these routes and of itself. */
export function openApiRoute(routes: readonly Route[]): Route {
  const own = route('GET /openapi.json', {
    summary: 'This document.',
    answers: { 200: z.looseObject({}).describe('OpenAPI 3.1.') },
    reply: async () => document,
  });
  const document = describeRoutes([...routes, own]);
  return own;
}

/** As people write them, such as X-Keypad-Content-SHA256. */
const headers = Object.values(signatureHeaders).map((name) =>
  name.replace(/sha|\b[a-z]/g, (part) => part.toUpperCase()),
);

const refusals: Readonly<Record<number, string>> = {
  400: 'Something in the request is malformed.',
  401: 'The request is not signed as it should be, or its body is not the one that was signed.',
  403: 'The source address, the app or its scopes do not allow it.',
  408: 'The body did not come in time.',
  413: 'The body is too long.',
  415: 'The Content-Type is not one that this route reads.',
  429: 'The limit of the app is used up, or too many of its bodies are coming in; see Retry-After.',
  503: 'The database is away, or too many bodies are coming in; try again.',
};

const word = { type: 'string' };
const error = { type: 'object', required: ['error'], properties: { error: word } };

/** The OpenAPI document of a table of routes. */
function describeRoutes(routes: readonly Route[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const each of routes) {
    const path = `/v1${each.path.replace(/:(\w+)/g, '{$1}')}`;
    paths[path] = { ...paths[path], [each.method.toLowerCase()]: describeRoute(each) };
  }
  const schemes = headers.map((name) => [name, { type: 'apiKey', in: 'header', name }]);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Keypad message delivery',
      version: '1',
      description: `Each request is signed: X-Keypad-Content-SHA256 is the hex SHA-256 of the body, and X-Keypad-Signature the hex HMAC-SHA256 under the app key of ${purposes.request}, METHOD, PATH?QUERY, X-Keypad-Timestamp, X-Keypad-Nonce and X-Keypad-Content-SHA256, joined by line feeds.`,
    },
    security: [Object.fromEntries(headers.map((name) => [name, []]))],
    paths,
    components: { securitySchemes: Object.fromEntries(schemes), schemas: { Error: error } },
  };
}

function describeRoute({ path, summary, scope, accepts, query, answers }: Route): Json {
  const { properties = {}, required = [] } = query === undefined ? {} : schemaOf(query, 'input');
  const parameters = [
    ...[...path.matchAll(/:(\w+)/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: word })),
    ...Object.entries(properties).map(([name, schema]) => ({
      name,
      in: 'query',
      required: required.includes(name),
      schema,
    })),
  ];
  const content = mapValues(accepts, (schema) => ({ schema: schemaOf(schema, 'input') }));
  return {
    summary,
    ...(scope !== undefined && { description: `Takes the scope ${scope}.` }),
    parameters,
    ...(Object.keys(content).length > 0 && { requestBody: { required: true, content } }),
    responses: mapValues({ ...refusals, ...answers }, (answer) =>
      typeof answer === 'string'
        ? answered(answer, { $ref: '#/components/schemas/Error' })
        : answered(answer.description ?? summary, schemaOf(answer, 'output')),
    ),
  };
}

function answered(description: string, schema: Json): Json {
  return { description, content: { 'application/json': { schema } } };
}

function schemaOf(schema: ZodType, io: 'input' | 'output') {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}

function mapValues<T>(values: Readonly<Record<string, T>>, change: (value: T) => Json): Json {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
}
