/**
 * Preloaded where a role runs under `node --watch` (role-process.ts). Node restarts a program for every file that it has
 * imported; only those of src are to count, because the bot itself reads a changed menu again, and loses nothing by it.
 *
 * A program tells its watcher of imports by messages of this one field, one for each time that a file is imported: over a
 * thousand. Some 170 fit into the channel while the watcher is slow, and what does not fit is lost when the program ends with a
 * mistake: then nobody watches the file that has it. So each file is told once, many in one message, the last at the end.
 */
const IMPORTED = 'watch:import';
const SRC = new URL('../../src/', import.meta.url).href;

const told = new Set<string>();
let untold: string[] = [];

const send = process.send?.bind(process);
if (send !== undefined) {
  const tell = (): void => {
    if (untold.length > 0) send({ [IMPORTED]: untold });
    untold = [];
  };
  process.send = (message, ...rest: []) => {
    const urls = (message as Readonly<Record<string, unknown>> | null)?.[IMPORTED];
    if (!Array.isArray(urls)) return send(message, ...rest);
    if (untold.length === 0) setImmediate(tell);
    for (const url of urls.map(String).filter((each) => each.startsWith(SRC) && !told.has(each))) {
      told.add(url);
      untold.push(url);
    }
    return true;
  };
  process.on('exit', tell);
}
