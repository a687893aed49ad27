import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel, Incoming } from '../channels/channel.ts';
import { lateText, NOTE_MS, type OwedAnswers, type SessionStore, sentences } from '../chat/index.ts';
import { readPrincipal } from '../contract/principal.ts';
import { createLoop } from '../server/loop.ts';
import { principalOf } from './identity.ts';
import type { OpenAnswer, OpenAnswers } from './open-answers.ts';

interface OwedAnswersParts {
  readonly open: OpenAnswers;
  readonly store: Pick<SessionStore, 'takeOver'>;
  /** The channel of a principal. Throws while nothing here serves it, which may come back. */
  channelOf(writer: string): Channel;
  /** The lease of `open`; ms. */
  readonly leaseMs: number;
  /** How often what is worked on is noted again, and what is overdue looked for; ms. */
  readonly everyMs?: number;
  /** Unix ms. */
  now(): number;
  onError(error: unknown): void;
}

/** What is answered sooner is not noted: where its process dies, the channel delivers it again. */
const QUICK_MS = 500;
/** After that nobody waits for an answer any more; whatever happened, the audit has it. */
const GIVE_UP_MS = 3_600_000;

/**
 * Sees to it that every message is answered, also when its process dies. What takes long is noted outside of the process,
 * under a lease that whoever works on it renews; an answer whose lease has run out is told by whoever finds it.
 */
export function startOwedAnswers(parts: OwedAnswersParts) {
  const { open, store, channelOf, leaseMs, everyMs = 1000, now, onError } = parts;
  /** What is worked on here, since when, and when it was noted last; Unix ms. */
  const held = new Map<Incoming, { readonly since: number; notedAt: number }>();
  const noted = new WeakSet<Incoming>();
  const telling = new Map<OpenAnswer, Promise<void>>();
  const told = new Set<OpenAnswer>();
  // While Redis was away nobody could renew a lease, and a process that starts has not seen whether it was: the living
  // come first.
  let quietUntil = now() + leaseMs;

  const note = async (those: readonly Incoming[], others: readonly OpenAnswer[] = []): Promise<void> => {
    if (those.length + others.length === 0) return;
    for (const incoming of those) noted.add(incoming);
    const at = now();
    await open.note([...those.map(openAnswerOf), ...others]);
    for (const incoming of those) {
      const work = held.get(incoming);
      if (work !== undefined) work.notedAt = at;
    }
  };
  const closeTold = async (): Promise<void> => {
    if (told.size === 0) return;
    const those = [...told];
    await open.close(those);
    for (const each of those) told.delete(each);
  };
  const tell = async (answer: OpenAnswer): Promise<void> => {
    const { writer, msgId, minute, about } = answer;
    try {
      const { user } = readPrincipal(writer);
      const channel = channelOf(writer);
      const text = await store.takeOver({ channel, user, msgId });
      if (text !== null) await channel.tellLate({ user, msgId }, lateText(about, text, channel));
      told.add(answer);
    } catch (error) {
      if (now() - minute * 1000 > GIVE_UP_MS) told.add(answer);
      onError(error);
    } finally {
      telling.delete(answer);
    }
  };
  const look = async (): Promise<void> => {
    const slow = [...held].filter(
      ([incoming, { since }]) => noted.has(incoming) || now() - since >= QUICK_MS,
    );
    try {
      await note(
        slow.map(([incoming]) => incoming),
        [...telling.keys()],
      );
      await closeTold();
      if (now() < quietUntil) return;
      for (const answer of await open.takeOverdue()) telling.set(answer, tell(answer));
    } catch (error) {
      quietUntil = now() + leaseMs;
      throw error;
    }
  };
  const loop = createLoop({ restMs: everyMs, work: look, onError });
  loop.start();

  const owed: OwedAnswers = {
    hold: (incoming) => void held.set(incoming, { since: now(), notedAt: 0 }),
    async note(incoming) {
      const known = held.get(incoming);
      if (known !== undefined && now() - known.notedAt < leaseMs / 2) return true;
      const written = note([incoming]).then(
        () => true,
        () => false,
      );
      return Promise.race([written, sleep(NOTE_MS, false, { ref: false })]);
    },
    isNoted: (incoming) => void noted.add(incoming),
    letGo: (incoming) => void held.delete(incoming),
    told(incoming) {
      held.delete(incoming);
      if (!noted.has(incoming)) return;
      told.add(openAnswerOf(incoming));
      loop.wake();
    },
  };
  return {
    ...owed,
    /** Looks no more, and waits for what is being told. What is not told by then is told by others. */
    async stop(): Promise<void> {
      await loop.stop();
      await Promise.all(telling.values());
      await closeTold().catch(onError);
    },
  };
}

function openAnswerOf(incoming: Incoming): OpenAnswer {
  const { msgId, createdAt, text } = incoming;
  // Two deliveries of one message are one answer, also where something in between stamps each of them.
  const minute = createdAt - (createdAt % 60);
  return { writer: principalOf(incoming), msgId, minute, about: sentences.answerTo(createdAt, text) };
}
