import type { Readable } from 'node:stream';
import { InputError } from '../../errors.ts';
import type { Receiver } from '../content/message.ts';
import type { CampaignTables } from '../database/campaign-tables.ts';
import { readLine, receiverSchema } from './campaign-schema.ts';

/** A receiver as it is kept, but for its campaign. */
export type NewReceiverRow = Omit<CampaignTables['campaign_receivers'], 'campaign'>;

/** Rows of one INSERT: what is in memory at a time. */
export const BATCH = 1000;
const MAX_RECEIVERS = 1_000_000;
/** Bad lines that a refusal names. */
const MAX_NAMED = 10;

/**
 * Reads receivers to the end of the lines, which go on from the second, and hands them to `add` in batches, waiting for
 * each; `add` resolves to how many were new. Resolves to how many there are, to how many lines named somebody again, and
 * to the names of the variables that every receiver brings. Throws an InputError that names the first bad lines; from the
 * first bad one on nothing is added.
 */
export async function loadReceivers(
  lines: AsyncIterable<Buffer | null>,
  isAllowed: (receiver: Receiver) => boolean,
  add: (rows: readonly NewReceiverRow[]) => Promise<number>,
) {
  const problems: string[] = [];
  let batch: NewReceiverRow[] = [];
  let read = 0;
  let total = 0;
  let sharedNames: readonly string[] | undefined;
  const flush = async (): Promise<void> => {
    if (batch.length > 0 && problems.length === 0) total += await add(batch);
    batch = [];
  };
  for await (const line of lines) {
    read += 1;
    if (read > MAX_RECEIVERS)
      throw new InputError('a campaign has at most 1,000,000 receivers; make several');
    try {
      const { user, variables } = readLine(receiverSchema, line);
      if (!isAllowed(`user:${user}`)) {
        throw new InputError(`names ${user}, to whom this app may not send`);
      }
      const names = Object.keys(variables ?? {});
      sharedNames = sharedNames?.filter((name) => names.includes(name)) ?? names;
      batch.push({
        number: read,
        user,
        variables: variables === undefined ? null : JSON.stringify(variables),
      });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (problems.length < MAX_NAMED) problems.push(`line ${read + 1} ${error.message}`);
    }
    if (batch.length === BATCH) await flush();
  }
  if (problems.length > 0) throw new InputError(`nothing was kept: ${problems.join('; ')}`);
  await flush();
  if (read === 0)
    throw new InputError('a campaign needs at least one receiver, a line for each after the first');
  return { total, doubles: read - total, sharedNames: sharedNames ?? [] };
}

const NEWLINE = 0x0a;

/**
 * Reads a stream line by line, as fast as they are taken and never holding more than one chunk and one line; null stands
 * for a line that is longer than allowed. The stream stays open when the reader stops early, so that the refusal can
 * still be answered. Throws what the stream throws.
 */
export async function* readLines(stream: Readable, longest: number): AsyncGenerator<Buffer | null, void> {
  let rest: Buffer | null = Buffer.alloc(0);
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    if (!(chunk instanceof Buffer)) throw new InputError('the body must come as bytes');
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
      yield joined(rest, chunk.subarray(from, to), longest);
      rest = Buffer.alloc(0);
      from = to + 1;
    }
    rest = joined(rest, chunk.subarray(from), longest);
  }
  // Nothing after the last newline is no line.
  if (rest === null || rest.length > 0) yield rest;
}

function joined(before: Buffer | null, more: Buffer, longest: number): Buffer | null {
  if (before === null || before.length + more.length > longest) return null;
  return before.length === 0 ? Buffer.from(more) : Buffer.concat([before, more]);
}
