import * as z from 'zod';
import type { Answer } from '../../contract/answer.ts';
import {
  CATALOGUE,
  type Catalogue,
  type CatalogueEntry,
  catalogueQuestion,
} from '../../contract/catalogue.ts';
import { verifyReportToken } from '../../contract/token.ts';
import type { Operations } from '../operations/generations.ts';
import { platformReads } from '../operations/platform.ts';
import type { Check, IncomingRequest } from './check.ts';
import { readBody } from './parse-request.ts';

interface CatalogueParts {
  readonly operations: Operations;
  /** Names what rights stand on. */
  policyGeneration(): string;
}

/** What the platform can read about itself, as the catalogue has it. */
const OWN: readonly CatalogueEntry[] = platformReads.map(([name, { title, input, output }]) => ({
  name,
  kind: 'read',
  title,
  input: z.toJSONSchema(input) as CatalogueEntry['input'],
  output: z.toJSONSchema(output) as CatalogueEntry['input'],
}));

/** The operations as the bot learns of them: its own reads of the platform first, then those of the folder by file. */
export function catalogueOf(operations: Operations): CatalogueEntry[] {
  const declared = operations.all().map(({ name, operation: { kind, title }, input, output }) => {
    return { name, kind, title, input, ...(output && { output }) };
  });
  return [...OWN, ...declared];
}

/** Makes what answers the bot's question what there is; asked once a second, it reads and writes nothing. */
export function createCatalogueHandler(check: Check, { operations, policyGeneration }: CatalogueParts) {
  return (request: IncomingRequest): Promise<Answer> =>
    check({ ...request, operation: CATALOGUE, mayRepeat: true }, verifyReportToken, async () => {
      const { known } = readBody(catalogueQuestion, request.body);
      const { generation } = operations;
      const output: Catalogue = {
        generation,
        policy: policyGeneration(),
        ...(known !== generation && { operations: catalogueOf(operations) }),
      };
      return { state: 'done', output };
    });
}
