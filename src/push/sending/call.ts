import type { Receipt } from '../../wecom/api/messenger.ts';
import type { Outgoing } from '../../wecom/api/outgoing.ts';
import { type Receiver, readReceiver } from '../content/message.ts';
import type { Claimed } from '../queue/claim.ts';
import { CHECK_SECONDS } from './repeats-store.ts';
import type { SenderParts } from './send.ts';

/** What WeCom said of a call that it took: its msgid, if it gave one, and why some receivers did not get it. */
export interface Taken {
  readonly msgid: string | null;
  readonly missed: ReadonlyMap<Receiver, string>;
}

/** Sends one part to all members of a group in one call; `isChecked` asks WeCom to drop it if it has had the same lately. */
export async function call(
  { messenger, robots }: Pick<SenderParts, 'messenger' | 'robots'>,
  message: Outgoing,
  members: readonly [Claimed, ...Claimed[]],
  isChecked: boolean,
): Promise<Taken> {
  const [{ receiver }] = members;
  const { kind, id } = readReceiver(receiver);
  if (kind === 'chat') {
    await messenger.sendToChat(id, message);
    return { msgid: null, missed: new Map() };
  }
  if (kind === 'robot') {
    await messenger.sendToRobot(robots[id] ?? '', message);
    return { msgid: null, missed: new Map() };
  }
  const options = isChecked ? { onceWithinSeconds: CHECK_SECONDS } : {};
  const receipt = await messenger.send(message, audienceOf(members), options);
  return { msgid: receipt.msgid === '' ? null : receipt.msgid, missed: missedOf(receipt) };
}

/** In one order, so that a repeated call is the same to the letter, whoever of the members has begun it. */
function audienceOf(members: readonly Claimed[]) {
  const of = (wanted: string): readonly string[] =>
    members
      .flatMap(({ receiver }) => {
        const { kind, id } = readReceiver(receiver);
        return kind === wanted ? [id] : [];
      })
      .sort();
  return { users: of('user'), parties: of('party'), tags: of('tag') };
}

function missedOf({ invalid, unlicensed }: Receipt): ReadonlyMap<Receiver, string> {
  const lists: readonly (readonly [Receiver, string])[] = [
    ...invalid.users.map((id) => [`user:${id.toLowerCase()}`, 'invaliduser'] as const),
    ...unlicensed.map((id) => [`user:${id.toLowerCase()}`, 'unlicenseduser'] as const),
    ...invalid.parties.map((id) => [`party:${id}`, 'invalidparty'] as const),
    ...invalid.tags.map((id) => [`tag:${id}`, 'invalidtag'] as const),
  ];
  return new Map(lists);
}
