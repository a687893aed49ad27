import { InputError } from '../../errors.ts';
import type { ApiAnswer, ApiRequest } from './call.ts';
import { splitText } from './split-text.ts';
import { WeComError } from './wecom-error.ts';

const API = 'message/send';
/** Long enough for the attempt that got lost and the one after it. */
const DUPLICATE_CHECK_SECONDS = 60;
/** Before an answer that got lost is asked for again, in ms. */
const LOST_WAIT_MS = 1000;

/** What sending needs: the app it speaks for, a call that repeats what is safe to repeat, and a way to wait. */
export interface TextSender {
  readonly agentId: number;
  readonly call: (request: ApiRequest, canRepeat: (error: WeComError) => boolean) => Promise<ApiAnswer>;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * Sends a text to one member, in as many parts as it needs, one after the other (§4.2); resolves to the msgid of the
 * last. Throws {@link WeComError}, also when the member cannot be reached; what was sent before stays sent.
 */
export async function sendText(sender: TextSender, userid: string, text: string): Promise<string> {
  if (text.trim() === '') throw new InputError('an empty text cannot be sent');
  let msgid = '';
  for (const content of splitText(text)) {
    msgid = await sendPart(sender, {
      touser: userid,
      msgtype: 'text',
      agentid: sender.agentId,
      text: { content },
    });
  }
  return msgid;
}

/**
 * A send whose answer got lost may have arrived. It is repeated once, because silence about an operation is worse than
 * hearing of it twice, and that repeat asks WeCom to drop it if it is one. Not every send asks: the check would swallow
 * the true second answer of somebody who did the same thing twice within its interval.
 */
async function sendPart(sender: TextSender, message: object): Promise<string> {
  const send = (body: object) =>
    sender.call({ api: API, query: {}, body }, (error) => error.errcode !== 'lost');
  try {
    return readReceipt(await send(message));
  } catch (error) {
    if (!(error instanceof WeComError) || error.errcode !== 'lost' || error.api !== API) throw error;
  }
  await sender.sleep(LOST_WAIT_MS);
  const check = { enable_duplicate_check: 1, duplicate_check_interval: DUPLICATE_CHECK_SECONDS };
  return readReceipt(await send({ ...message, ...check }));
}

/** With errcode 0 the lists still name whom the message did not reach (§4.2), and there is one receiver only. */
function readReceipt(answer: ApiAnswer): string {
  for (const list of ['invaliduser', 'unlicenseduser']) {
    if (answer[list]) throw new WeComError(API, 81013, `${list}: ${answer[list]}`);
  }
  return `${answer.msgid ?? ''}`;
}
