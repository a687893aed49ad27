import { plainLine } from '../plain-text.ts';

/** What the chat itself says, outside of any screen. */
export const sentences = {
  working: '处理中…结果稍后发给你。',
  /** Where nobody else would know of it if this process died now. */
  workingAlone:
    '处理中…但会话服务暂时不可用。如果一分钟内没有收到结果，请再发一次；确认过的操作请不要重复，已经执行的会把结果告诉你。',
  expired: '消息已过期，没有执行任何操作。',
  /** By the clock of the transport it has not been sent yet. */
  ahead: '消息的时间在未来，没有执行任何操作。',
  onlyText: '只能处理文字消息，请输入数字。',
  lost: '刚才的消息没有处理完，请再发一次。',
  /** Nothing is known of it any more but that its answer was open. */
  interrupted:
    '处理这条消息的程序中断了，结果不明。如果它是确认一项操作，请不要重复，已经执行的会把结果告诉你；其他消息请再发一次。',
  /** More messages of one user wait than may; this one is not run, neither now nor later. */
  tooFast: '太快了，请等上一条的回复。这条消息没有执行。',
  busy: '前面的消息还在处理，请稍后再发。',
  /** It is not known whether the message is a repeat of one that runs. */
  storeDown:
    '会话服务暂时不可用，这条消息可能没有收到。如果它是确认一项操作，请不要重复，已经执行的会把结果告诉你；其他消息请稍后再发。',
  notKept: '会话服务出现故障，本次会话已结束，请稍后重新开始。',
  /**
   * Begins what is read when its user may stand elsewhere by now; `createdAt` is Unix seconds, said in China's time, or 0
   * where nobody said it.
   */
  answerTo: (createdAt: number, text: string | undefined) =>
    `（回复${createdAt === 0 ? '' : ` ${clockOf(createdAt)} 的`}${text === undefined ? '消息' : `“${shortOf(text)}”`}）`,
  /** A repeat of a message with which something was confirmed, whose process died. */
  confirmationLost: '处理这条消息的程序中断了。你的确认已经记下，结果查清后会告诉你，请不要重复操作。',
  /** `number` names the message in the logs. */
  failed: (number: string) =>
    `出错了，编号 ${number}。没有执行任何操作，请稍后再试；如果一直这样，请把编号发给运维负责人。`,
  failedAfterConfirmation: (number: string) =>
    `出错了，编号 ${number}。你确认的操作可能已经执行，结果查清后会告诉你，请不要重复操作；如果十分钟后还没有消息，请把编号发给运维负责人。`,
} as const;

/** Asia/Shanghai has had no summer time since 1991. */
const CHINA_SECONDS = 8 * 3600;
const SHORT_CHARACTERS = 20;

function clockOf(createdAt: number): string {
  return new Date((createdAt + CHINA_SECONDS) * 1000).toISOString().slice(11, 16);
}

function shortOf(text: string): string {
  const characters = [...plainLine(text.trim().replaceAll(/\s+/g, ' '))];
  if (characters.length <= SHORT_CHARACTERS) return characters.join('');
  return `${characters.slice(0, SHORT_CHARACTERS).join('')}…`;
}
