import { InputError } from '../../errors.ts';
import type { Receiver } from '../content/message.ts';
import type { CampaignReceiverTable } from '../database/campaign-tables.ts';
import { readLine, receiverSchema } from './campaign-schema.ts';
import type { Line } from './lines.ts';

/** What came in after the first line. */
export interface Loaded {
  readonly total: number;
  /** Lines that named somebody again; the first line of each counts. */
  readonly doubles: number;
  /** Names of the variables that every receiver brings. */
  readonly sharedNames: readonly string[];
}

/** Rows of one INSERT: what is in memory at a time. */
export const BATCH = 1000;
const MAX_RECEIVERS = 1_000_000;
/** Bad lines that a refusal names. */
const MAX_NAMED = 10;

/**
 * Reads receivers to the end of the lines and hands them to `add` in batches, waiting for each; `add` resolves to how
 * many were new. Throws an InputError that names the first bad lines; from the first bad one on nothing is added.
 */
export async function loadReceivers(
  lines: AsyncIterable<Line>,
  serial: number,
  {
    isAllowed,
    add,
  }: {
    isAllowed(receiver: Receiver): boolean;
    add(rows: readonly CampaignReceiverTable[]): Promise<number>;
  },
): Promise<Loaded> {
  const problems: string[] = [];
  let batch: CampaignReceiverTable[] = [];
  let read = 0;
  let total = 0;
  let sharedNames: readonly string[] | undefined;
  const flush = async (): Promise<void> => {
    if (batch.length > 0 && problems.length === 0) total += await add(batch);
    batch = [];
  };
  for await (const { number, bytes } of lines) {
    read += 1;
    if (read > MAX_RECEIVERS)
      throw new InputError('a campaign has at most 1,000,000 receivers; make several');
    try {
      const { user, variables } = readLine(receiverSchema, bytes);
      if (!isAllowed(`user:${user}`)) {
        throw new InputError(`names ${user}, to whom this app may not send`);
      }
      const names = Object.keys(variables ?? {});
      sharedNames = sharedNames?.filter((name) => names.includes(name)) ?? names;
      // The first receiver stands in the second line.
      const row = { campaign: serial, number: number - 1, user };
      batch.push({ ...row, variables: variables === undefined ? null : JSON.stringify(variables) });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (problems.length < MAX_NAMED) problems.push(`line ${number} ${error.message}`);
    }
    if (batch.length === BATCH) await flush();
  }
  if (problems.length > 0) throw new InputError(`nothing was kept: ${problems.join('; ')}`);
  await flush();
  if (read === 0)
    throw new InputError('a campaign needs at least one receiver, a line for each after the first');
  return { total, doubles: read - total, sharedNames: sharedNames ?? [] };
}
