import { Refused } from '../../../errors.ts';
import type { ReadOperation } from '../operation.ts';

/** Gives the caller a link of their own to the queue view of message delivery. */
export const linkConsole: ReadOperation<'push.console'> = {
  async run({ consoleLink, subject, now }) {
    if (consoleLink === undefined) throw new Refused('missing', '没有配置控制台，请联系运维负责人');
    return consoleLink(subject.user, now);
  },
};
