import { isOperation, type OperationName } from '../../contract/index.ts';

/** What the bot may do on its own behalf, which is nothing that a user may. */
export const FOR_THE_BOT: readonly string[] = ['outcomes.claim', 'outcomes.told'] satisfies OperationName[];
/** What every user may ask: it answers for their own rights and operations only. */
export const FOR_EVERYONE: readonly string[] = [
  'me',
  'units.list',
  'operation.settle',
] satisfies OperationName[];

/** Whether the operation is about a business unit, so that a grant can cover it. */
export function needsUnit(operation: string): boolean {
  return isOperation(operation) && !FOR_THE_BOT.includes(operation) && !FOR_EVERYONE.includes(operation);
}

/** Whether an operation's name fits a pattern, in which `*` stands for any characters. */
export function fits(pattern: string, operation: string): boolean {
  const [start = '', ...parts] = pattern.split('*');
  const end = parts.pop();
  if (end === undefined) return operation === start;
  if (!operation.startsWith(start)) return false;
  let at = start.length;
  for (const part of parts) {
    const found = operation.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return operation.length - end.length >= at && operation.endsWith(end);
}
