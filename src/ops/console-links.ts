import type { OpsConfig } from '../config.ts';
import { CONSOLE_LINK_MINUTES, signConsoleLink } from '../contract/console-link.ts';
import type { OutputOf } from '../contract/index.ts';

/** Makes a link that this user may use once; `now` is Unix ms. */
export type ConsoleLinks = (user: string, now: number) => Promise<OutputOf<'push.console'>>;

/** What makes links to the queue view at `url`; undefined when there is none. */
export function createConsoleLinks({
  url,
  key,
  newId,
}: {
  readonly url: OpsConfig['consoleUrl'];
  readonly key: OpsConfig['consoleKey'];
  newId(): string;
}): ConsoleLinks | undefined {
  if (url === '' || key === undefined) return undefined;
  return async (user, now) => {
    const token = await signConsoleLink(key.reveal(), { user, id: newId(), now });
    // Behind the #: a browser sends that part to nobody, so it is in no log and no Referer.
    return { url: `${url}/console/login#${token}`, minutes: CONSOLE_LINK_MINUTES };
  };
}
