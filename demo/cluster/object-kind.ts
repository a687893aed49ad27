import { badRequest } from './failure.ts';
import { isRecord } from './json.ts';
import { resources } from './resources.ts';

/** What an object is: `group` is empty for the core group. */
export interface Kind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** Refuses (400) an object of another kind than the URL's. One that does not say what it is, is what the URL says. */
export function requireKind(expected: Kind, body: unknown): void {
  if (!isRecord(body)) return;
  const apiVersion = expected.group === '' ? expected.version : `${expected.group}/${expected.version}`;
  const sent = {
    apiVersion: `${body.apiVersion ?? ''}` || apiVersion,
    kind: `${body.kind ?? ''}` || expected.kind,
  };
  if (sent.apiVersion === apiVersion && sent.kind === expected.kind) return;
  const version = sent.apiVersion.split('/').at(-1) ?? '';
  const isKnown = resources.some(
    ({ group, kind, ...resource }) =>
      kind === sent.kind &&
      sent.apiVersion === (group === '' ? resource.version : `${group}/${resource.version}`),
  );
  const why = isKnown
    ? `converting (${version}.${sent.kind}) to (${expected.group.split('.')[0] || 'core'}.${expected.kind}): unknown conversion`
    : `no kind ${JSON.stringify(sent.kind)} is registered for version ${JSON.stringify(sent.apiVersion)} in this cluster`;
  throw badRequest(
    `${sent.kind} in version ${JSON.stringify(version)} cannot be handled as a ${expected.kind}: ${why}`,
  );
}
