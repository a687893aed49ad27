import type { Form } from './accept.ts';
import { ApiFailure, badRequest, notFound } from './failure.ts';
import { checkFields, type Validation, validations } from './field-check.ts';
import type { Write } from './registry.ts';
import type { Resource } from './resources.ts';
import { type Matches, readFieldSelector, readLabelSelector } from './selectors.ts';
import type { Kinds, Plural } from './shapes.ts';
import type { Store } from './store.ts';

/** One request about a kind or an object of it, reduced to the parts of HTTP that handlers need. */
export interface Call {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  /** Empty for a collection. */
  readonly name: string;
  readonly query: Query;
  readonly body: unknown;
  /** The media type without parameters. */
  readonly contentType: string;
  readonly form: Form;
  readonly userAgent: string;
  /** Tells the client something that is no refusal; kubectl prints it. */
  readonly warn: (text: string) => void;
}

/** The query of a URL; a name that is repeated is a list. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

/** One parameter of the query, the last when there are several. */
export function parameter(call: Call, name: string): string | undefined {
  const value = call.query[name];
  return typeof value === 'object' ? value.at(-1) : value;
}

/** A parameter that is a whole number, not negative. Throws 400. */
export function countParameter(call: Call, name: string): number | undefined {
  const text = parameter(call, name);
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`${name}: ${JSON.stringify(text)} is not a number`);
  return Number(text);
}

/** A parameter that is `true` or `1`. */
export function isSet(call: Call, name: string): boolean {
  return ['true', '1'].includes(parameter(call, name) ?? '');
}

/** The selectors of a list or watch. Throws 400. */
export function readSelectors(call: Call): Matches {
  const labels = readLabelSelector(parameter(call, 'labelSelector') ?? '');
  const fields = readFieldSelector(parameter(call, 'fieldSelector') ?? '', call.resource);
  const { namespace } = call;
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) && labels(object) && fields(object);
}

/** Who writes: `fieldManager`, or else the first word of the User-Agent. Throws 422 for an unknown `dryRun`. */
export function readWrite(call: Call, subresource?: Write['subresource']): Write {
  const dryRun = parameter(call, 'dryRun') ?? '';
  if (dryRun !== '' && dryRun !== 'All') {
    const message = `dryRun: Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`;
    throw new ApiFailure(422, 'Invalid', message);
  }
  const manager = parameter(call, 'fieldManager') || call.userAgent.split('/')[0] || 'unknown';
  return { manager: manager.slice(0, 128), subresource, dryRun: dryRun === 'All' };
}

/** A written object without the fields that its kind does not have, as `fieldValidation` wants it. Throws 400 or 422. */
export function checked(call: Call, body: unknown): unknown {
  const given = parameter(call, 'fieldValidation') || 'Warn';
  const validation = validations.find((each): each is Validation => each === given);
  if (validation === undefined) {
    const message = `fieldValidation: Unsupported value: ${JSON.stringify(given)}: supported values: ${validations.join(', ')}`;
    throw new ApiFailure(422, 'Invalid', message);
  }
  const { body: clean, warnings } = checkFields(call.resource, body, validation);
  for (const warning of warnings) call.warn(warning);
  return clean;
}

/** Refuses (400) a body that belongs under another URL. */
export function requirePlace(
  call: Call,
  { name = '', namespace = '' }: Readonly<Record<string, unknown>>,
): void {
  if (name !== '' && name !== call.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${call.name})`);
  }
  if (namespace !== '' && namespace !== call.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
}

/** The object that the call is about. Throws 404. */
export function find<P extends Plural>(store: Store, plural: P, call: Call): Kinds[P] {
  const found = store.get(plural, call.namespace, call.name);
  if (found === undefined) throw notFound(call.resource, call.name);
  return found;
}
