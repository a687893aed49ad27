import { ApiError } from './api-error.ts';
import { isInteractive } from './card-check.ts';
import type { Fields } from './fields.ts';

/** The ids of tasks that cards of the app have had; one is never used twice (protocol §4.3). */
export interface TaskIds {
  /** Throws 42014 when the message brings one that was used. */
  check(message: Fields): void;
  /** Remembers the one of a message that was sent. */
  use(message: Fields): void;
}

/** Older ones are forgotten, so that memory stays flat under load. */
const MOST_KEPT = 200_000;

/** Makes an empty memory. */
export function createTaskIds(): TaskIds {
  const used = new Set<string>();
  return {
    check: (message) => {
      const id = taskIdOf(message);
      if (id !== undefined && used.has(id)) throw new ApiError(42014, id);
    },
    use: (message) => {
      const id = taskIdOf(message);
      if (id === undefined) return;
      used.add(id);
      const [oldest] = used;
      if (used.size > MOST_KEPT && oldest !== undefined) used.delete(oldest);
    },
  };
}

/** Of a notice without a menu nothing comes back, and what its task_id does is not documented: it is not looked at. */
function taskIdOf({ msgtype, template_card, taskcard }: Fields): string | undefined {
  if (msgtype === 'taskcard') return `${(taskcard as Fields).task_id}`;
  if (msgtype !== 'template_card' || !isInteractive(template_card as Fields)) return undefined;
  return `${(template_card as Fields).task_id}`;
}
