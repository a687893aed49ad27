import { stamp } from './json.ts';
import type { Registry } from './registry.ts';
import { suffix } from './registry.ts';
import { referenceTo } from './resources.ts';
import type { KubeObject } from './shapes.ts';
import type { Store } from './store.ts';

/** An event about an object; `source` is the component that reports it. */
export interface Happening {
  readonly source: string;
  readonly type?: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** Writes an event, or increases the count of the same event about the same object. */
export type Recorder = (object: KubeObject, happening: Happening) => void;

/** Creates a recorder that keeps the latest `kept` events of the cluster. */
export function createRecorder(store: Store, registry: Registry, now: () => Date, kept: number): Recorder {
  return (object, { source, type = 'Normal', reason, message }) => {
    const { namespace, name, uid } = object.metadata;
    const time = stamp(now());
    const events = store.list('events');
    const same = events.find(
      (event) => event.involvedObject.uid === uid && event.reason === reason && event.message === message,
    );
    const fields = { type, reason, message, lastTimestamp: time };
    if (same !== undefined) {
      registry.set('events', { ...same, ...fields, count: (same.count ?? 1) + 1 }, { manager: source });
      return;
    }
    const event = {
      // A long name is cut, so that the suffix that makes names of events unique fits.
      metadata: { name: `${name.slice(0, 200)}.${suffix()}${suffix()}`, namespace },
      involvedObject: { ...referenceTo(object), namespace },
      source: { component: source },
      reportingComponent: source,
      reportingInstance: '',
      firstTimestamp: time,
      count: 1,
      ...fields,
    };
    registry.set('events', event, { manager: source });
    const oldest = events.toSorted(byLastTime).slice(0, Math.max(0, events.length + 1 - kept));
    for (const old of oldest) store.drop('events', old);
  };
}

function byLastTime(
  one: { readonly lastTimestamp?: string | undefined },
  other: { readonly lastTimestamp?: string | undefined },
): number {
  return (one.lastTimestamp ?? '').localeCompare(other.lastTimestamp ?? '');
}
