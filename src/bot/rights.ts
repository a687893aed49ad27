import { Unavailable } from '../chat/index.ts';
import type { InputOf, OutputOf, ReadName } from '../contract/index.ts';
import { type Caller, type OpsClient, OpsDown } from './ops-client.ts';
import { sentences } from './sentences.ts';

/** What a user may do: operations by business unit. */
export type Rights = ReadonlyMap<string, ReadonlySet<string>>;

/** Whether rights cover an operation: in the unit that was answered, or in any unit before one was chosen. */
export function covers(rights: Rights, operation: string, unit: unknown): boolean {
  if (unit !== undefined) return typeof unit === 'string' && rights.get(unit)?.has(operation) === true;
  return [...rights.values()].some((operations) => operations.has(operation));
}

/**
 * Asks the platform what a user may do; the bot holds no policy of its own.
 * Throws `Unavailable` when there is no answer, or no right at all, of which `onNone` hears.
 */
export async function askRights(client: OpsClient, caller: Caller, onNone: () => void): Promise<Rights> {
  const units = Object.entries(await readFor(client, caller, 'me', {}));
  if (units.length === 0) {
    onNone();
    throw new Unavailable(sentences.noRights);
  }
  return new Map(units.map(([unit, operations]) => [unit, new Set(operations)]));
}

/** What a read answers. Throws `Unavailable` when the platform refuses or gives no answer. */
export async function readFor<N extends ReadName>(
  client: OpsClient,
  caller: Caller,
  name: N,
  input: InputOf<N>,
): Promise<OutputOf<N>> {
  const answered = await client.ask(caller, name, input).catch(unavailable);
  if ('refused' in answered) throw new Unavailable(answered.refused);
  return answered.output;
}

/** Words that the platform gave no answer. */
export function unavailable(error: unknown): never {
  throw error instanceof OpsDown ? new Unavailable(sentences.platformDown) : error;
}
