import type { Messenger, Receipt } from '../../../src/wecom/api/messenger.ts';
import type { Outgoing } from '../../../src/wecom/api/outgoing.ts';

/** What WeCom was asked to send: to whom, what, and whether it should drop a repeat. */
export interface Sent {
  readonly to: readonly string[];
  readonly message: Outgoing;
  readonly onceWithinSeconds: number | undefined;
}

/** A WeCom of ours: takes down every call, then does what its script says. */
export interface ScriptedWeCom {
  readonly messenger: Messenger;
  readonly sent: Sent[];
  readonly recalled: string[];
  /** Before the answer: wait, or throw. A receipt that comes back is the answer. */
  script: (sent: Sent) => Promise<Partial<Receipt> | undefined> | Partial<Receipt> | undefined;
  recallScript: (msgid: string) => void;
  /** What was said to one receiver, in order. */
  textsTo(receiver: string): readonly unknown[];
}

export function scriptedWeCom(): ScriptedWeCom {
  const take = async (sent: Sent): Promise<Receipt> => {
    weCom.sent.push(sent);
    const answer = await weCom.script(sent);
    const nobody = { invalid: { users: [], parties: [], tags: [] }, unlicensed: [] };
    return { msgid: `m${weCom.sent.length}`, ...nobody, ...answer };
  };
  const named = (kind: string, ids: readonly string[] = []): string[] => ids.map((id) => `${kind}:${id}`);
  const weCom: ScriptedWeCom = {
    sent: [],
    recalled: [],
    script: () => undefined,
    recallScript: () => {},
    textsTo: (receiver) =>
      weCom.sent.filter(({ to }) => to.includes(receiver)).map(({ message }) => message.body.content),
    messenger: {
      send: (message, { users, parties, tags }, options) => {
        const to = [...named('user', users), ...named('party', parties), ...named('tag', tags)];
        return take({ to, message, onceWithinSeconds: options?.onceWithinSeconds });
      },
      sendToChat: async (chat, message) =>
        void (await take({ to: [`chat:${chat}`], message, onceWithinSeconds: undefined })),
      sendToRobot: async (key, message) =>
        void (await take({ to: [`robot:${key}`], message, onceWithinSeconds: undefined })),
      recall: async (msgid) => {
        weCom.recallScript(msgid);
        weCom.recalled.push(msgid);
      },
      upload: async () => ({ mediaId: 'media', expiresAt: 0 }),
      uploadForRobot: async () => ({ mediaId: 'media', expiresAt: 0 }),
    },
  };
  return weCom;
}
