/**
 * Preloaded where a role runs under `node --watch` (role-process.ts). Node restarts a program for every file that it has
 * imported; only those of src are to count, because the bot itself reads a changed menu again, and loses nothing by it.
 * A program tells its watcher of imports by messages of this one field.
 */
const IMPORTED = 'watch:import';
const SRC = new URL('../../src/', import.meta.url).href;

const send = process.send?.bind(process);
if (send !== undefined) process.send = (message, ...rest: []) => send(onlySrc(message), ...rest);

function onlySrc<T>(message: T): T {
  const urls = (message as Readonly<Record<string, unknown>> | null)?.[IMPORTED];
  if (!Array.isArray(urls)) return message;
  return { ...message, [IMPORTED]: urls.filter((url) => `${url}`.startsWith(SRC)) };
}
