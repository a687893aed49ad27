import { WeComError } from '../../wecom/api/wecom-error.ts';
import { readReceiver } from '../content/message.ts';
import type { Finishing } from './queue-parts.ts';
import { type Recallable, recordTakenBack, withdraw } from './recall-store.ts';
import { readMsgids } from './record-store.ts';

/** What became of taking a message back. */
export interface Recalled {
  /** Deliveries that had not begun, and those that WeCom took back (§4.4). */
  readonly recalled: number;
  /** Deliveries that cannot be taken back, with the reason in one sentence. */
  readonly kept: readonly { readonly receiver: string; readonly reason: string }[];
}

/** WeCom takes back what is younger (§4.4); ms. */
const RECALLABLE_MS = 24 * 60 * 60 * 1000;

/** Takes back a message of an app as far as that is possible, with the reason for the rest; null when there is none. */
export async function recall(parts: Finishing, app: string, messageId: string): Promise<Recalled | null> {
  const { db, now, webhooks, onFinished } = parts;
  const withdrawn = await withdraw(parts, app, messageId, now());
  if (withdrawn === null) return null;
  if (withdrawn.isFinished) {
    webhooks.wake();
    onFinished([messageId]);
  }

  // One call may have reached many: each msgid is asked for once.
  const asked = new Map<string, Promise<string | null>>();
  const ask = (msgid: string): Promise<string | null> => {
    const answer = asked.get(msgid) ?? takeBack(parts, withdrawn.account, msgid);
    asked.set(msgid, answer);
    return answer;
  };
  const kept: { receiver: string; reason: string }[] = [];
  const back: Recallable[] = [];
  for (const delivery of withdrawn.deliveries) {
    const wasTaken = withdrawn.taken.has(delivery.id);
    if (!wasTaken && (delivery.state === 'recalled' || delivery.state === 'cancelled')) continue;
    const answers = () => Promise.all(readMsgids(delivery.msgids).map(ask));
    const reason = reasonToKeep(delivery, wasTaken, now()) ?? (await answers()).find((each) => each !== null);
    if (reason === undefined) back.push(delivery);
    else kept.push({ receiver: delivery.receiver, reason });
  }
  const sent = back.filter(({ state }) => state === 'sent').map(({ id }) => id);
  await recordTakenBack(db, messageId, sent, now());
  return { recalled: back.length, kept };
}

/** Why a delivery cannot be taken back, as far as we know without asking WeCom. */
function reasonToKeep(
  { receiver, state, msgids, finished_at }: Recallable,
  wasTaken: boolean,
  now: number,
): string | null {
  if (state === 'failed' || state === 'dead')
    return 'It was not delivered, so that there is nothing to recall.';
  if (state === 'sending' || state === 'queued')
    return 'It is being sent at this moment: ask again in a few seconds.';
  if (wasTaken && msgids === null) return null;
  const { kind } = readReceiver(receiver);
  if (kind === 'chat') return 'WeCom cannot recall what was sent to a group chat.';
  if (kind === 'robot') return 'WeCom cannot recall what was sent through a group robot.';
  if (finished_at !== null && now - finished_at >= RECALLABLE_MS) {
    return 'It was sent more than 24 hours ago; WeCom recalls nothing older.';
  }
  if (state === 'sent' && msgids === null)
    return 'WeCom gave no msgid for it, and recalls nothing without one.';
  return null;
}

/** Null when WeCom has taken it back, otherwise why not. */
async function takeBack(
  { accounts, onError }: Finishing,
  account: string,
  msgid: string,
): Promise<string | null> {
  const messenger = accounts.find(account)?.messenger;
  if (messenger === undefined) return `The account ${account} is not configured any more.`;
  try {
    await messenger.recall(msgid);
    return null;
  } catch (error) {
    if (error instanceof WeComError) return error.message;
    onError(error);
    return 'Keypad could not ask WeCom; its log says why.';
  }
}
