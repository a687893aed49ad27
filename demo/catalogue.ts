import type { CatalogueEntry } from '../src/contract/catalogue.ts';
import { createDeclared } from '../src/ops/declared/index.ts';
import { catalogueOf } from '../src/ops/http/catalogue.ts';
import { openOperations } from '../src/ops/operations/generations.ts';

/** What a platform with that folder of operations would tell a bot. Throws a ConfigError of every problem in it. */
export async function loadCatalogue(directory: string) {
  const { current, close } = await openOperations(directory, createDeclared({ environment: undefined }), {
    accepted: () => {},
    refused: () => {},
  });
  close();
  const entries: readonly CatalogueEntry[] = catalogueOf(current);
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  return { entries, generation: current.generation, find: (name: string) => byName.get(name) };
}
