import { readProposal } from './admission.ts';
import {
  type Call,
  checked,
  countParameter,
  isSet,
  parameter,
  readSelectors,
  readWrite,
  requirePlace,
} from './call.ts';
import { ApiFailure } from './failure.ts';
import { type Page, readPage } from './paging.ts';
import { apiVersionOf } from './resources.ts';
import type { KubeObject } from './shapes.ts';
import { tableOf } from './table.ts';
import type { Watched } from './watch.ts';
import type { World } from './world.ts';

/** How one object is shown to this client: as it is, or as a table of one row. */
export function shownTo(world: World, call: Call): (object: KubeObject) => unknown {
  if (call.form === 'json') return (object) => object;
  return (object) => {
    const { resourceVersion } = object.metadata;
    return print(world, call, { objects: [object], metadata: { resourceVersion } });
  };
}

/** GET of a collection: the objects that match, with the version to watch from. */
export function list(world: World, call: Call): unknown {
  const { resource } = call;
  const { objects, metadata } = readPage(world.store, call);
  if (call.form === 'table') return print(world, call, { objects, metadata });
  return {
    kind: `${resource.kind}List`,
    apiVersion: apiVersionOf(resource),
    metadata,
    // Items of a real list do not repeat their kind.
    items: objects.map(({ apiVersion: _, kind: __, ...object }) => object),
  };
}

function print(world: World, call: Call, { objects, metadata }: Page): unknown {
  const whole = parameter(call, 'includeObject') === 'Object';
  return tableOf(call.resource.plural, objects, { metadata, whole, now: world.now() });
}

/** GET of a collection with `watch`: ends after `timeoutSeconds`, half an hour when none is named, a day at most. */
export function readWatch(world: World, call: Call): Watched {
  if (isSet(call, 'sendInitialEvents')) {
    const message = 'sendInitialEvents: Forbidden: this cluster has no streaming lists';
    throw new ApiFailure(422, 'Invalid', message);
  }
  return {
    plural: call.resource.plural,
    matches: readSelectors(call),
    since: countParameter(call, 'resourceVersion'),
    timeout: Math.min(countParameter(call, 'timeoutSeconds') || 1800, 24 * 3600),
    show: shownTo(world, call),
  };
}

/** POST to a collection: the object as it was stored. Throws 400 when the body names another namespace. */
export function create(world: World, call: Call): unknown {
  const body = readProposal(checked(call, call.body));
  requirePlace({ ...call, name: `${body.metadata.name ?? ''}` }, body.metadata);
  const placed = { ...body, metadata: { ...body.metadata, namespace: call.namespace } };
  return world.registry.create(call.resource.plural, placed, readWrite(call));
}
