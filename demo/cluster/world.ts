import type { Recorder } from './recorder.ts';
import type { Registry } from './registry.ts';
import type { Store } from './store.ts';

/** What the controllers work on. */
export interface World {
  readonly store: Store;
  readonly registry: Registry;
  readonly record: Recorder;
  readonly now: () => Date;
}
