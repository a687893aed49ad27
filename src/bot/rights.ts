import { Unavailable } from '../chat/index.ts';
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
  const answered = await client.read(caller, 'me', {}).catch((error: unknown) => {
    throw error instanceof OpsDown ? new Unavailable(sentences.platformDown) : error;
  });
  if ('refused' in answered) throw new Unavailable(answered.refused);
  const units = Object.entries(answered.output);
  if (units.length === 0) {
    onNone();
    throw new Unavailable(sentences.noRights);
  }
  return new Map(units.map(([unit, operations]) => [unit, new Set(operations)]));
}
