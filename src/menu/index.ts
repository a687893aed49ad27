/** What a menu author imports as `#menu`. */
export { type Answers, type Changes, type Context, type Reads, Unavailable } from './context.ts';
export { type Action, action, type Folder, folder, type Operation, operation } from './entry.ts';
export { choice, code, integer, type Option, type Problem, port, text } from './question.ts';
export { table } from './table.ts';
