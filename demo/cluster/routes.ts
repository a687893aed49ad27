import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { readAccept } from './accept.ts';
import { APPLY, applyConfiguration } from './apply-request.ts';
import { type Call, find, isSet, type Query } from './call.ts';
import { create, list, readWatch, shownTo } from './collection.ts';
import type { Speech } from './container-log.ts';
import { patch, readScale, remove, replace, writeScale } from './item.ts';
import { readLog } from './pod-log.ts';
import { apiVersionOf, type Resource, resources, type Verb } from './resources.ts';
import { type Handlers, serveAt } from './serve.ts';
import { createStreams, type Streams } from './streams.ts';
import { watch } from './watch.ts';
import type { World } from './world.ts';

/** What one method does at one URL, and what a kind must allow for it. */
interface Route {
  readonly verb: Verb;
  readonly answer: (world: World, call: Call, reply: FastifyReply) => unknown;
}
type Routes = { readonly [method in keyof Handlers]?: Route };

const item: Routes = {
  GET: {
    verb: 'get',
    answer: (world, call) => shownTo(world, call)(find(world.store, call.resource.plural, call)),
  },
  PUT: { verb: 'update', answer: (world, call) => replace(world, call) },
  PATCH: { verb: 'patch', answer: patchAt },
  DELETE: { verb: 'delete', answer: remove },
};

const status: Routes = {
  GET: { verb: 'get', answer: (world, call) => find(world.store, call.resource.plural, call) },
  PUT: { verb: 'update', answer: (world, call) => replace(world, call, 'status') },
  PATCH: { verb: 'patch', answer: (world, call) => patch(world, call, 'status') },
};

const scale: Routes = {
  GET: { verb: 'get', answer: readScale },
  PUT: { verb: 'update', answer: (world, call) => writeScale(world, call, 'replace') },
  PATCH: { verb: 'patch', answer: (world, call) => writeScale(world, call, 'patch') },
};

function collectionRoutes(streams: Streams): Routes {
  const read: Route = {
    verb: 'list',
    answer: (world, call, reply) => {
      if (!isSet(call, 'watch')) return list(world, call);
      const watched = readWatch(world, call);
      return watch(world.store, streams.open(reply, 'application/json'), watched);
    },
  };
  return { GET: read, POST: { verb: 'create', answer: createAt } };
}

function createAt(world: World, call: Call, reply: FastifyReply): unknown {
  const created = create(world, call);
  reply.code(201);
  return created;
}

function patchAt(world: World, call: Call, reply: FastifyReply): unknown {
  if (call.contentType !== APPLY) return patch(world, call);
  const { object, isNew } = applyConfiguration(world, call);
  if (isNew) reply.code(201);
  return object;
}

function logRoutes(streams: Streams, speech: Speech): Routes {
  const answer: Route['answer'] = (world, call, reply) => {
    const { text, follow } = readLog(world, call, speech);
    if (follow === undefined) return reply.type('text/plain').send(text);
    const stream = streams.open(reply, 'text/plain');
    stream.write(text);
    return follow(stream);
  };
  return { GET: { verb: 'get', answer } };
}

/** Serves every kind under its URLs. Watches and followed logs end when the app closes. */
export function serveResources(app: FastifyInstance, world: World, speech: Speech): void {
  const streams = createStreams();
  app.addHook('preClose', (done) => {
    streams.endAll();
    done();
  });
  const collection = collectionRoutes(streams);
  const { POST: _, ...everywhere } = collection;
  const subresources = { status, scale, log: logRoutes(streams, speech) };
  for (const resource of resources) {
    const base = `${resource.group === '' ? '/api' : '/apis'}/${apiVersionOf(resource)}`;
    const path = `${base}${resource.namespaced ? '/namespaces/:namespace' : ''}/${resource.plural}`;
    const serve = (url: string, routes: Routes) => serveAt(app, url, handlersOf(world, resource, routes));
    serve(path, collection);
    if (resource.namespaced) serve(`${base}/${resource.plural}`, everywhere);
    serve(`${path}/:name`, item);
    for (const name of resource.subresources) serve(`${path}/:name/${name}`, subresources[name]);
  }
}

/** The routes that the kind allows. */
function handlersOf(world: World, resource: Resource, routes: Routes): Handlers {
  const allowed = Object.entries(routes).filter(([, { verb }]) => resource.verbs.includes(verb));
  return Object.fromEntries(
    allowed.map(([method, { answer }]) => [
      method,
      (request: FastifyRequest, reply: FastifyReply) =>
        answer(world, readCall(request, reply, resource), reply),
    ]),
  );
}

function readCall(request: FastifyRequest, reply: FastifyReply, resource: Resource): Call {
  const { namespace, name = '' } = request.params as { readonly namespace?: string; readonly name?: string };
  const [contentType = ''] = (request.headers['content-type'] ?? '').split(';');
  return {
    resource,
    namespace,
    name,
    query: request.query as Query,
    body: request.body,
    contentType: contentType.trim().toLowerCase(),
    form: readAccept(request.headers.accept) ?? 'json',
    userAgent: request.headers['user-agent'] ?? '',
    warn: (text) => void reply.header('warning', `299 - ${JSON.stringify(text)}`),
  };
}
