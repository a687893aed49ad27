import { hash } from 'node:crypto';
import type { ConsoleLink } from '../../contract/console-link.ts';
import { Refused } from '../../errors.ts';
import { type Database, isDuplicate } from '../database/database.ts';

/** Who may look at the queues, for all replicas. Times are Unix ms. */
export interface ConsoleSessions {
  /** Uses a link up and resolves to the id of a new session. Throws Refused('used') when it was used before, anywhere. */
  open(link: ConsoleLink, now: number): Promise<string>;
  /** Whose session that is; null for one that has ended or never was. */
  userOf(id: string, now: number): Promise<string | null>;
}

/** How long a session lasts, in seconds. */
export const SESSION_SECONDS = 1800;

/** A link is refused by its own end long before it is forgotten here, also where clocks differ. */
const LINKS_KEPT_MS = 86_400_000;

/** Opens the sessions; `newSecret` makes an id that nobody can guess. */
export function createSessions(db: Database, newSecret: () => string): ConsoleSessions {
  return {
    async open({ id, user }, now) {
      await db
        .insertInto('console_links')
        .values({ id, user, used_at: now })
        .execute()
        .catch((error: unknown) => {
          throw isDuplicate(error) ? new Refused('used', '链接已经用过，请在菜单里重新获取') : error;
        });
      const session = newSecret();
      const expires_at = now + SESSION_SECONDS * 1000;
      await db
        .insertInto('console_sessions')
        .values({ id_hash: hashOf(session), user, expires_at })
        .execute();
      await db.deleteFrom('console_sessions').where('expires_at', '<=', now).execute();
      await db
        .deleteFrom('console_links')
        .where('used_at', '<', now - LINKS_KEPT_MS)
        .execute();
      return session;
    },
    async userOf(id, now) {
      const found = db.selectFrom('console_sessions').select('user').where('id_hash', '=', hashOf(id));
      return (await found.where('expires_at', '>', now).executeTakeFirst())?.user ?? null;
    },
  };
}

function hashOf(id: string): string {
  return hash('sha256', id);
}
