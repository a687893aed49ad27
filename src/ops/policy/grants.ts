import { contract, isOperation } from '../../contract/index.ts';

/** Whether every user may ask it: it answers for their own rights and operations only. */
export function isForEveryone(operation: string): boolean {
  if (operation === 'me' || operation === 'units.list') return true;
  return isOperation(operation) && contract[operation].kind === 'acknowledge';
}

/** Whether the operation is about a business unit, so that a grant can cover it. */
export function needsUnit(operation: string): boolean {
  return isOperation(operation) && !isForEveryone(operation);
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
