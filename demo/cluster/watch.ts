import { ApiFailure } from './failure.ts';
import type { Matches } from './selectors.ts';
import type { KubeObject, Plural } from './shapes.ts';
import type { Change, Store } from './store.ts';
import type { Stream } from './streams.ts';

/** What is watched, and how each object is shown. */
export interface Watched {
  readonly plural: Plural;
  readonly matches: Matches;
  /** The version that the watcher has seen; undefined or 0 begins with everything there is. */
  readonly since: number | undefined;
  /** Seconds until the server ends the watch. */
  readonly timeout: number;
  readonly show: (object: KubeObject) => unknown;
}

/** Sends every change as a line of JSON. A version that is no longer known is answered as an ERROR event with 410. */
export function watch(store: Store, stream: Stream, watched: Watched): void {
  const { plural, matches, since, show } = watched;
  const send = (type: string, object: unknown): void => stream.write(`${JSON.stringify({ type, object })}\n`);
  const sendChange = (change: Change): void => {
    const type = seenAs(change, matches);
    if (change.plural === plural && type !== undefined) send(type, show(change.object));
  };

  if (since === undefined || since === 0) {
    for (const object of store.list(plural).filter(matches)) send('ADDED', show(object));
  } else {
    const missed = store.since(since);
    if (missed === undefined || since > store.version()) {
      send('ERROR', expired(since, store.version()).status);
      stream.end();
      return;
    }
    for (const change of missed) sendChange(change);
  }
  const unsubscribe = store.subscribe(sendChange);
  const limit = setTimeout(() => stream.end(), watched.timeout * 1000).unref();
  stream.onEnd(() => {
    unsubscribe();
    clearTimeout(limit);
  });
}

/** What a change is to a watcher who only sees what matches: coming into view is ADDED, leaving it DELETED. */
function seenAs({ type, object, previous }: Change, matches: Matches): Change['type'] | undefined {
  const was = previous !== undefined && matches(previous);
  const is = type !== 'DELETED' && matches(object);
  if (was && is) return 'MODIFIED';
  if (is) return 'ADDED';
  return was ? 'DELETED' : undefined;
}

/** The watcher has to list anew, also when its version is from the time before this cluster began. */
function expired(since: number, current: number): ApiFailure {
  return new ApiFailure(410, 'Expired', `too old resource version: ${since} (${current})`);
}
