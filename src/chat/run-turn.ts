import type { Reply } from '../channels/channel.ts';
import { type Context, Unavailable } from '../menu/tree/context.ts';
import { isLeaving } from '../menu/turn/input.ts';
import { firstScreen } from '../menu/turn/screen.ts';
import { currentScreen, type Turn, takeTurn } from '../menu/turn/turn.ts';
import { sentences as menuSentences } from '../menu/words/sentences.ts';
import { clip } from '../menu/words/text.ts';
import { quoteChoices } from '../plain-text.ts';
import { userOf, type Work } from './chat-parts.ts';
import { keep, leaveWith, withoutReceipts } from './commit.ts';
import { CLAIM_SECONDS } from './scripts.ts';
import { sentences } from './sentences.ts';
import type { Stored } from './session-store.ts';

const WAIT_LIMIT_MS = 12_000;
/**
 * Whoever waits is called when a turn ends in this process. For the turns of other replicas it asks Redis, after pauses that
 * double: it hears of an end within the time that it has waited already, and asks 35 times in the whole of its patience.
 */
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 400;
const RECOMPUTATIONS = 5;

/**
 * Whether a message may have an effect. Its time may be ahead by as much as behind: clocks differ. Whatever a channel
 * says, a message is too old before its claim is gone, so that it cannot be taken a second time.
 */
function isFresh({ channel, createdAt }: Work['incoming'], now: number): boolean {
  return Math.abs(now - createdAt * 1000) <= Math.min(channel.freshMs, CLAIM_SECONDS * 400);
}

/** Waits for the user's earlier messages, takes the turn, and keeps what came of it. */
export async function answer(work: Work, first: Stored | undefined): Promise<Reply> {
  let stored = first ?? (await waitForTurn(work));
  if (typeof stored === 'string') return leaveWith(work, stored);
  for (let tries = 1; ; tries += 1) {
    const turn = await take(work, stored);
    const session = tries > RECOMPUTATIONS ? 'same' : turn.session;
    // Screens fit by themselves; what the platform says instead of one may have any length.
    const text = clip(turn.text, work.incoming.channel.replyBytes);
    const receipts = turn.receipts ?? [];
    const result: Reply = { text, receipts };
    // What comes late and tells an outcome is told by the platform.
    const reply = work.isLate && receipts.length > 0 ? undefined : text;
    const left = await keep(work, { from: stored, session, reply, receipts });
    if (left.kind === 'broken') return turn.ran ? result : withoutReceipts(sentences.notKept);
    if (left.kind === 'taken') return withoutReceipts(left.reply);
    if (left.kind === 'left') {
      count(work, stored, session);
      return result;
    }
    // A change that was asked for is not asked for again: its outcome stands, whatever screen the user is at by now.
    if (turn.ran) {
      await keep(work, { from: left.newer, session: 'same', reply, receipts });
      return result;
    }
    stored = left.newer;
  }
}

async function take(work: Work, { session }: Stored): Promise<Turn> {
  const { incoming } = work;
  const tree = work.menu(incoming, session?.generation);
  const now = work.now();
  const stale = !isFresh(incoming, now);
  try {
    const opened = await work.openContext(incoming);
    const run: Context['run'] = (...confirmed) => {
      work.hasConfirmed = true;
      return opened.run(...confirmed);
    };
    const context = { ...opened, run };
    if (!stale && incoming.text !== undefined) {
      const turn = await takeTurn(tree, session, incoming.text, context);
      if (turn.refused !== undefined) work.onRefused(incoming, turn.refused);
      return turn;
    }
    if (!stale && session === null) return await firstScreen(tree, context, sentences.onlyText);
    if (stale) work.onRefused(incoming, { kind: 'stale', at: '' });
    const why = incoming.createdAt * 1000 > now ? sentences.ahead : sentences.expired;
    const expired = `${sentences.answerTo(incoming.createdAt, incoming.text)}\n${why}`;
    const notice = stale ? expired : sentences.onlyText;
    return { text: currentScreen(tree, session, notice, context) ?? notice, session: 'same' };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    work.hasConfirmed = false;
    const { text } = incoming;
    if (session !== null && !stale && text !== undefined && isLeaving(session.screen, text)) {
      return { text: menuSentences.bye, session: null };
    }
    return { text: quoteChoices(error.message), session: 'same' };
  }
}

/** Answers a sentence when the turn does not come. */
async function waitForTurn(work: Work): Promise<Stored | string> {
  const { store, incoming, waiting, sleep, now, onError } = work;
  const place = waiting.join(userOf(incoming));
  const until = now() + WAIT_LIMIT_MS;
  try {
    for (let pause = FIRST_PAUSE_MS; now() < until; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      await Promise.race([sleep(pause), place.called()]);
      const entered = await store.askAgain(incoming);
      if (entered.kind === 'turn') return entered.stored;
    }
    return sentences.busy;
  } catch (error) {
    onError(error, incoming);
    return sentences.storeDown;
  } finally {
    place.leave();
  }
}

function count({ onSession }: Work, { session: before }: Stored, after: Turn['session']): void {
  if (after === 'same') return;
  if (before === null && after !== null) onSession('started');
  if (before !== null && after === null) onSession('ended');
}
