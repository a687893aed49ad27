import type { Channel } from '../channels/channel.ts';
import { clip } from '../menu/words/text.ts';

/** What is told after the reply; `about` names the message it answers, since by now its user may look at another screen. */
export function lateText(about: string, text: string, { lateBytes }: Pick<Channel, 'lateBytes'>): string {
  return clip(`${about}\n${text}`, lateBytes);
}
