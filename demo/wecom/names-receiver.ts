import type { ApiCall } from './api-call.ts';
import { ApiError } from './api-error.ts';
import { readJson } from './fields.ts';

/** Whether a call is to that receiver: a userid among its `touser`, a chatid, or the name of a robot. Never throws. */
export function namesReceiver(
  { name, query, body }: ApiCall,
  receiver: string,
  robotOf: (key: string | undefined) => string,
): boolean {
  try {
    if (name.startsWith('webhook/')) return robotOf(query.key) === receiver;
    const { touser, chatid } = readJson(body);
    return chatid === receiver || `${touser ?? ''}`.toLowerCase().split('|').includes(receiver.toLowerCase());
  } catch (error) {
    if (error instanceof ApiError) return false;
    throw error;
  }
}
