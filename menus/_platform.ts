import type { ChangeTable, ReadTable } from '../src/contract/index.ts';

/** Gives `#menu` the names, inputs and outputs of the platform's operations, so that a slip shows in the editor. */
declare module '#menu' {
  interface Reads extends ReadTable {}
  interface Changes extends ChangeTable {}
}
