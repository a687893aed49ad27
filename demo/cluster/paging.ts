import { isDeepStrictEqual } from 'node:util';
import { type Call, countParameter, parameter, readSelectors } from './call.ts';
import { ApiFailure, badRequest } from './failure.ts';
import { isRecord } from './json.ts';
import type { KubeObject } from './shapes.ts';
import { keyOf, type Store } from './store.ts';

/** A part of a list, and what a client needs to go on from there. */
export interface Page {
  readonly objects: readonly KubeObject[];
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
}

/** Where a list was cut: after that key, of the objects as they were at that version; -1 stands for now. */
interface Cut {
  readonly rv: number;
  readonly start: string;
}

/**
 * The objects that a call asks for, all of one moment however many pages they take. Throws 400 for what is no token, and
 * 410 when the moment is forgotten; its token goes on with the objects of now.
 */
export function readPage(store: Store, call: Call): Page {
  const cut = readCut(call);
  const { plural } = call.resource;
  const version = cut === undefined ? askedVersion(store, call) : cut.rv;
  const objects = version < 0 ? store.list(plural) : store.listAt(plural, version);
  if (objects === undefined) throw expired(cut);
  const rv = version < 0 ? store.version() : version;
  const rest = objects
    .filter(readSelectors(call))
    .filter(({ metadata }) => cut === undefined || keyOf(metadata.namespace, metadata.name) > cut.start);
  // A list of any moment is one that the real server has at hand, whole.
  const isWhole = cut === undefined && parameter(call, 'resourceVersion') === '0';
  const limit = (isWhole ? 0 : countParameter(call, 'limit')) || rest.length;
  const page = rest.slice(0, limit);
  const last = page.at(-1)?.metadata;
  if (last === undefined || page.length === rest.length) {
    return { objects: page, metadata: { resourceVersion: `${rv}` } };
  }
  const token = writeCut({ rv, start: keyOf(last.namespace, last.name) });
  const isSelected = ['labelSelector', 'fieldSelector'].some((name) => (parameter(call, name) ?? '') !== '');
  const remaining = isSelected ? {} : { remainingItemCount: rest.length - page.length };
  return { objects: page, metadata: { resourceVersion: `${rv}`, continue: token, ...remaining } };
}

/** The version that `resourceVersion` and `resourceVersionMatch` ask for; -1 for the newest. */
function askedVersion(store: Store, call: Call): number {
  const match = parameter(call, 'resourceVersionMatch') ?? '';
  const asked = countParameter(call, 'resourceVersion');
  if (match !== '' && asked === undefined) throw badMatch('Forbidden: only together with resourceVersion');
  if (!['', 'Exact', 'NotOlderThan'].includes(match)) {
    throw badMatch(`Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan"`);
  }
  if (asked !== undefined && asked > store.version()) {
    const message = `Timeout: Too large resource version: ${asked}, current: ${store.version()}`;
    const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
    throw new ApiFailure(504, 'Timeout', message, { causes, retryAfterSeconds: 1 });
  }
  const isExact = match === 'Exact' || (match === '' && (countParameter(call, 'limit') ?? 0) > 0);
  return isExact && asked !== undefined && asked > 0 ? asked : -1;
}

function badMatch(why: string): ApiFailure {
  return new ApiFailure(422, 'Invalid', `resourceVersionMatch: ${why}`);
}

function readCut(call: Call): Cut | undefined {
  const text = parameter(call, 'continue') ?? '';
  if (text === '') return undefined;
  if (!['', '0'].includes(parameter(call, 'resourceVersion') ?? '')) {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  try {
    const cut: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (isRecord(cut) && Number.isInteger(cut.rv) && typeof cut.start === 'string') {
      const read = { rv: cut.rv as number, start: cut.start };
      if (isDeepStrictEqual(cut, { v: tokenVersion, ...read })) return read;
    }
  } catch {
    // It is no JSON.
  }
  throw badRequest('invalid continue token: it is not one of this cluster');
}

const tokenVersion = 'meta.k8s.io/v1';

function writeCut(cut: Cut): string {
  return Buffer.from(JSON.stringify({ v: tokenVersion, ...cut })).toString('base64url');
}

function expired(cut: Cut | undefined): ApiFailure {
  if (cut === undefined) {
    return new ApiFailure(410, 'Expired', 'The resourceVersion for the provided list is too old.');
  }
  const message =
    'The provided continue parameter is too old to display a consistent list result. You can start a new list ' +
    'without the continue parameter, or use the continue token in this response to retrieve the remainder of the results.';
  return new ApiFailure(410, 'Expired', message, undefined, { continue: writeCut({ ...cut, rv: -1 }) });
}
