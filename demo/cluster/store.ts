import type { Kinds, KubeObject, Plural } from './shapes.ts';

/** One write, as watchers see it. `object` of a deletion is the last state, with the version of the deletion. */
export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly plural: Plural;
  readonly version: number;
  readonly object: KubeObject;
  readonly previous: KubeObject | undefined;
}

/** All objects of the cluster, in memory. Objects are values: a write stores a new one, nobody edits one in place. */
export interface Store {
  /** The version of the last write. */
  version(): number;
  get<P extends Plural>(plural: P, namespace: string | undefined, name: string): Kinds[P] | undefined;
  /** In the order of namespace and name; of all namespaces when none is named. */
  list<P extends Plural>(plural: P, namespace?: string): readonly Kinds[P][];
  /** The same of all namespaces as they were at a version; undefined when that is no longer known. */
  listAt<P extends Plural>(plural: P, version: number): readonly Kinds[P][] | undefined;
  /** Stores the object under a new resourceVersion and returns it so. */
  put<P extends Plural>(plural: P, object: Kinds[P]): Kinds[P];
  /** Removes the object, if it is there. */
  drop(plural: Plural, object: KubeObject): void;
  /** What was written after `version`, oldest first; undefined when that is no longer known. */
  since(version: number): readonly Change[] | undefined;
  /** Calls on every write until the returned function is called. */
  subscribe(listener: (change: Change) => void): () => void;
}

/** An empty store. `first` is the version before the first write; the last `remembered` changes can be watched from. */
export function createStore(options: { first: number; remembered: number }): Store {
  const objects = new Map<string, Map<string, KubeObject>>();
  const listeners = new Set<(change: Change) => void>();
  let history: Change[] = [];
  let forgotten = options.first;
  let version = options.first;

  const kept = (plural: Plural): Map<string, KubeObject> => {
    const found = objects.get(plural) ?? new Map<string, KubeObject>();
    objects.set(plural, found);
    return found;
  };
  const announce = (change: Change): void => {
    history.push(change);
    if (history.length > options.remembered * 2) {
      forgotten = history[history.length - options.remembered - 1]?.version ?? forgotten;
      history = history.slice(-options.remembered);
    }
    for (const listener of listeners) listener(change);
  };

  const sorted = (entries: ReadonlyMap<string, KubeObject>) =>
    [...entries].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, object]) => object);

  return {
    version: () => version,
    get: <P extends Plural>(plural: P, namespace: string | undefined, name: string) =>
      kept(plural).get(keyOf(namespace, name)) as Kinds[P] | undefined,
    list: <P extends Plural>(plural: P, namespace?: string) =>
      sorted(kept(plural)).filter(
        ({ metadata }) => namespace === undefined || metadata.namespace === namespace,
      ) as Kinds[P][],
    listAt: <P extends Plural>(plural: P, at: number) => {
      if (at < forgotten || at > version) return undefined;
      const then = new Map(kept(plural));
      for (const change of history.toReversed()) {
        if (change.plural !== plural || change.version <= at) continue;
        const { namespace, name } = change.object.metadata;
        if (change.previous === undefined) then.delete(keyOf(namespace, name));
        else then.set(keyOf(namespace, name), change.previous);
      }
      return sorted(then) as Kinds[P][];
    },
    put: (plural, object) => {
      version += 1;
      const written = { ...object, metadata: { ...object.metadata, resourceVersion: `${version}` } };
      const key = keyOf(object.metadata.namespace, object.metadata.name);
      const previous = kept(plural).get(key);
      kept(plural).set(key, written);
      announce({ type: previous ? 'MODIFIED' : 'ADDED', plural, version, object: written, previous });
      return written;
    },
    drop: (plural, object) => {
      const key = keyOf(object.metadata.namespace, object.metadata.name);
      const previous = kept(plural).get(key);
      if (previous === undefined) return;
      kept(plural).delete(key);
      version += 1;
      const last = { ...previous, metadata: { ...previous.metadata, resourceVersion: `${version}` } };
      announce({ type: 'DELETED', plural, version, object: last, previous });
    },
    since: (from) => (from < forgotten ? undefined : history.filter((change) => change.version > from)),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** The key of an object among those of its kind, which is also their order. A slash stands in no name. */
export function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}
