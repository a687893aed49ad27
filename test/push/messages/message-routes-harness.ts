import { randomUUID } from 'node:crypto';
import { InputError } from '../../../src/errors.ts';
import { hashOf } from '../../../src/push/apps/signature.ts';
import type { Content } from '../../../src/push/content/content.ts';
import { namesIn } from '../../../src/push/content/fill.ts';
import type { NewMessage } from '../../../src/push/content/message.ts';
import type { Database } from '../../../src/push/database/database.ts';
import { messageRoutes } from '../../../src/push/messages/message-routes.ts';
import type { MessageParts } from '../../../src/push/messages/new-message.ts';
import { createIntake } from '../../../src/push/queue/intake.ts';
import { checkVariables } from '../../../src/push/templates/template.ts';

/** What the tests see and steer of what stands behind the routes. */
export interface Behind {
  /** Every message that was made, also for a repeated idempotency key. */
  readonly made: NewMessage[];
  readonly templates: Map<string, Content>;
  readonly kept: Map<string, Buffer>;
  /** Apps, each with a content that it has handed in. */
  readonly owners: Set<string>;
  /** What was said to be sent, and when (Unix ms). */
  readonly used: { kind: string; sendAt: number | undefined }[];
}

/** The routes of messages over real tables; the workers, templates and pictures are the test's. */
export function openMessageRoutes({
  db,
  now,
  messageQueue,
}: {
  db: Database;
  now: () => number;
  messageQueue?: MessageParts['messageQueue'];
}) {
  const behind: Behind = {
    made: [],
    templates: new Map(),
    kept: new Map(),
    owners: new Set(),
    used: [],
  };
  const intake = createIntake({
    db,
    now,
    newId: () => randomUUID(),
    onCommitted: () => {},
  });
  const parts: MessageParts = {
    db,
    now,
    robots: new Set(['ops-room']),
    accounts: { has: (account) => ['default', 'shop'].includes(account) },
    pausedNote: () => null,
    messageQueue: {
      finished: async () => false,
      recall: async () => null,
      resend: async () => null,
      ...messageQueue,
      accept: (message) => {
        behind.made.push(message);
        return (messageQueue ?? intake).accept(message);
      },
    },
    templates: {
      async resolve(key, variables, given) {
        const content = behind.templates.get(key);
        if (content === undefined) throw new InputError(`there is no template "${key}"`);
        checkVariables(namesIn(content), variables, given);
        return { content, version: 1 };
      },
    },
    media: {
      of: (app) => ({
        async save(_kind, name, bytes) {
          const sha256 = hashOf(bytes);
          behind.kept.set(sha256, Buffer.from(bytes));
          behind.owners.add(`${app} ${sha256}`);
          return { sha256, name };
        },
        async use(kind, media, sendAt) {
          behind.used.push({ kind, sendAt });
          if (!behind.owners.has(`${app} ${media.sha256}`))
            throw new InputError('the content is not kept any more');
          return media;
        },
      }),
      async bytes(sha256) {
        const bytes = behind.kept.get(sha256);
        if (bytes === undefined) throw new InputError('the content is not kept any more; upload it again');
        return bytes;
      },
    },
    fetchImage: async (url) => ({ name: 'fetched.png', bytes: Buffer.from(`the picture at ${url}`) }),
  };
  return { behind, routes: messageRoutes(parts) };
}
