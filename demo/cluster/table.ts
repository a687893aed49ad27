import { type Column, columns } from './columns.ts';
import type { Page } from './paging.ts';
import type { KubeObject, Plural } from './shapes.ts';

/** A `meta.k8s.io/v1` Table of these objects. Rows carry their object's metadata, or all of it when asked. */
export function tableOf(
  plural: Plural,
  objects: readonly KubeObject[],
  options: { readonly metadata: Page['metadata']; readonly whole: boolean; readonly now: Date },
): Readonly<Record<string, unknown>> {
  // The columns of a kind fit its objects; only the union of all kinds forgets it.
  const printed = columns[plural] as readonly Column<KubeObject>[];
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: options.metadata,
    columnDefinitions: printed.map(({ name, wide }) => {
      return {
        name,
        type: 'string',
        format: name === 'Name' ? 'name' : '',
        description: '',
        priority: wide ? 1 : 0,
      };
    }),
    rows: objects.map((object) => ({
      cells: printed.map(({ cell }) => `${cell(object, options.now)}`),
      object: options.whole
        ? object
        : { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata },
    })),
  };
}
