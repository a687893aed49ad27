import { sql } from 'kysely';
import { InputError } from '../../errors.ts';
import { kindOf } from '../content/content.ts';
import { type Accepted, DEFAULT_ACCOUNT, type NewMessage } from '../content/message.ts';
import { storeOpaque } from '../content/opaque.ts';
import type { Tx } from '../database/database.ts';
import { inParts, insertRows } from '../database/values.ts';
import { canShare } from './group.ts';
import { joinLines } from './line-store.ts';
import { accountOf, lineOf } from './lines.ts';

/** A message that is to be written down under this id, at this time (Unix ms). */
export interface Draft {
  readonly id: string;
  readonly at: number;
  readonly message: NewMessage;
}

/** What became of each, in order: an InputError stands for an idempotency key that another request has used. */
export type Inserted = readonly (Accepted | InputError)[];

/**
 * Writes messages and their deliveries, in order, and makes their lines due. Two messages under one idempotency key are
 * one, whoever came first.
 */
export async function insertMessages(tx: Tx, drafts: readonly Draft[]): Promise<Inserted> {
  const rows = drafts.map(messageRow);
  await insertRows(tx, 'messages', rows, sql`on duplicate key update id = messages.id`);
  const owners = await ownersOfKeys(tx, drafts);
  const inserted = drafts.map((draft) => verdict(draft, owners));
  const deliveries = drafts.flatMap((draft, index) => {
    const found = inserted[index];
    const isNew = found !== undefined && 'isNew' in found && found.isNew;
    return isNew ? deliveriesOf(draft, rows[index]?.content ?? '') : [];
  });
  const now = await joinLines(tx, deliveries);
  // What is later by the clock of this process may be over by that of the database: it overtakes nobody.
  const placed = deliveries.map((each) => {
    const since = Math.max(each.since, now);
    return { ...each, since, due_at: since };
  });
  await insertRows(tx, 'deliveries', placed);
  return inserted;
}

interface Owner {
  readonly id: string;
  readonly app: string;
  readonly key: string;
  readonly request_hash: string;
}

const keyOf = (app: string, key: string): string => `${app}\n${key}`;

/** Who stands under the idempotency keys of these messages: read committed, so that other replicas' are seen. */
async function ownersOfKeys(tx: Tx, drafts: readonly Draft[]): Promise<ReadonlyMap<string, Owner>> {
  const keys = drafts.flatMap(({ message: { app, idempotencyKey } }) =>
    idempotencyKey === undefined ? [] : [[app, idempotencyKey]],
  );
  const rows = await inParts(
    tx,
    keys,
    (some) => sql<Owner>`select id, app, idempotency_key \`key\`, request_hash from messages
      where (app, idempotency_key) in (${some})`,
  );
  return new Map(rows.map((row) => [keyOf(row.app, row.key), row]));
}

function verdict({ id, message }: Draft, owners: ReadonlyMap<string, Owner>): Accepted | InputError {
  const { app, idempotencyKey, requestHash } = message;
  if (idempotencyKey === undefined) return { id, isNew: true };
  const owner = owners.get(keyOf(app, idempotencyKey));
  if (owner === undefined) throw new Error('a message that was just inserted is not there');
  if (owner.id === id) return { id, isNew: true };
  if (owner.request_hash === requestHash) return { id: owner.id, isNew: false };
  return new InputError(
    'This idempotencyKey was used for another request; use a new key for each message, and the same only to repeat one.',
  );
}

function messageRow({ id, at, message }: Draft) {
  const { variables, template, receivers } = message;
  return {
    id,
    app: message.app,
    account: message.account ?? DEFAULT_ACCOUNT,
    lane: message.lane,
    kind: kindOf(message.content),
    content: JSON.stringify(message.content),
    variables: variables === undefined ? null : JSON.stringify(variables),
    template_key: template?.key ?? null,
    template_version: template?.version ?? null,
    opaque: message.opaque === undefined ? null : storeOpaque(message.opaque),
    idempotency_key: message.idempotencyKey ?? null,
    request_hash: message.requestHash,
    callback_url: message.callbackUrl ?? null,
    campaign_id: message.campaignId ?? null,
    receivers: receivers.length,
    open: receivers.length,
    created_at: at,
    send_at: message.sendAt ?? at,
    finished_at: null,
  };
}

/** The deliveries of a message whose content is this JSON. */
function deliveriesOf({ id, message }: Draft, content: string) {
  return message.receivers.map((each) => {
    const account = accountOf(each.receiver, message.account);
    return {
      message_id: id,
      account,
      receiver: each.receiver,
      line: lineOf(message.lane, each.receiver, account),
      shared: canShare(message, content, each) ? 1 : 0,
      variables: each.variables === undefined ? null : JSON.stringify(each.variables),
      since: message.sendAt ?? 0,
    };
  });
}
