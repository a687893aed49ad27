/** What a menu author imports as `#menu`. */
export {
  type Answers,
  type Changes,
  type EntryContext as Context,
  type Reads,
  Unavailable,
} from './tree/context.ts';
export { type Action, action, type Folder, folder, type Operation, operation } from './tree/entry.ts';
export { choice, code, integer, type Option, type Problem, port, text } from './tree/question.ts';
export { table } from './words/text.ts';
