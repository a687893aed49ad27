/**
 * Preloaded where a role runs under `node --watch` (role-process.ts). Node restarts a program for every file that it has
 * imported; only those of src are to count, because the bot itself reads a changed menu again, and loses nothing by it.
 * A program tells its watcher of imports by messages of this one field. A thousand of packages would fill the channel while
 * the watcher is slow, and what does not fit is lost when the program ends with a mistake: then nobody watches the file
 * that has it.
 */
const IMPORTED = 'watch:import';
const SRC = new URL('../../src/', import.meta.url).href;

const send = process.send?.bind(process);
if (send !== undefined)
  process.send = (message, ...rest: []) => isOfOthers(message) || send(message, ...rest);

/** Whether a message tells of imports, and of none in src; Node sends one for each. */
function isOfOthers(message: unknown): boolean {
  const urls = (message as Readonly<Record<string, unknown>> | null)?.[IMPORTED];
  return Array.isArray(urls) && !urls.some((url) => `${url}`.startsWith(SRC));
}
