import { qualifiedName, type Resource } from './resources.ts';

/** One field that was wrong, as `Status.details.causes` names it. */
export interface Cause {
  readonly field: string;
  readonly message: string;
  readonly reason: string;
}

/** The `Status` object with which the API server refuses. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  /** The token to go on with, where a list could not be continued as it was. */
  readonly metadata: { readonly continue?: string };
  readonly status: 'Failure';
  readonly message: string;
  readonly reason: string;
  readonly details?: { readonly [member: string]: unknown };
  readonly code: number;
}

/** A refusal of the API server; `status` is its answer, word for word. */
export class ApiFailure extends Error {
  override readonly name = 'ApiFailure';
  readonly status: Status;

  constructor(
    code: number,
    reason: string,
    message: string,
    details?: Status['details'],
    metadata: Status['metadata'] = {},
  ) {
    super(message);
    const head = { kind: 'Status', apiVersion: 'v1', metadata, status: 'Failure' } as const;
    this.status = { ...head, message, reason, ...(details === undefined ? {} : { details }), code };
  }
}

/** The `details` that name one object. */
function detailsOf(resource: Resource, name: string): Status['details'] {
  return { name, ...(resource.group === '' ? {} : { group: resource.group }), kind: resource.plural };
}

/** 404: no such object. */
export function notFound(resource: Resource, name: string): ApiFailure {
  const message = `${qualifiedName(resource)} "${name}" not found`;
  return new ApiFailure(404, 'NotFound', message, detailsOf(resource, name));
}

/** 409: there is one already. */
export function alreadyExists(resource: Resource, name: string): ApiFailure {
  const message = `${qualifiedName(resource)} "${name}" already exists`;
  return new ApiFailure(409, 'AlreadyExists', message, detailsOf(resource, name));
}

/** 409: the object is not the one that the caller saw. */
export function conflict(resource: Resource, name: string, why?: string): ApiFailure {
  const moved = 'the object has been modified; please apply your changes to the latest version and try again';
  const message = `Operation cannot be fulfilled on ${qualifiedName(resource)} "${name}": ${why ?? moved}`;
  return new ApiFailure(409, 'Conflict', message, detailsOf(resource, name));
}

/** 422: the object would not be a valid one. */
export function invalid(resource: Resource, name: string, causes: readonly Cause[]): ApiFailure {
  const kind = resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`;
  const list = causes.map((cause) => `${cause.field}: ${cause.message}`).join(', ');
  const message = `${kind} "${name}" is invalid: ${list}`;
  const details = { ...detailsOf(resource, name), kind: resource.kind, causes };
  return new ApiFailure(422, 'Invalid', message, details);
}

/** 400: the request itself makes no sense. */
export function badRequest(message: string): ApiFailure {
  return new ApiFailure(400, 'BadRequest', message);
}

/** 422: an option of a write that makes no sense. */
export function wrongOption(kind: 'DeleteOptions' | 'PatchOptions', cause: Cause): ApiFailure {
  const message = `${kind}.meta.k8s.io "" is invalid: ${cause.field}: ${cause.message}`;
  return new ApiFailure(422, 'Invalid', message, { group: 'meta.k8s.io', kind, causes: [cause] });
}

/** 405: the URL is there, but this cannot be done to it, or not here. */
export function methodNotAllowed(method: string, url: string): ApiFailure {
  const [path = ''] = url.split('?');
  const message = `the server does not allow this method on the requested resource: this cluster does not serve ${method} ${path}`;
  return new ApiFailure(405, 'MethodNotAllowed', message, {});
}
