import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { sql } from 'kysely';
import { withDatabaseTime } from '#test/database-time.ts';
import { openPushDatabase } from '#test/push-database.ts';
import { InputError } from '../../../src/errors.ts';
import { createKeys } from '../../../src/push/apps/keys.ts';
import { readScopes } from '../../../src/push/apps/scopes.ts';
import type { CampaignParts } from '../../../src/push/campaigns/campaign-store.ts';
import { type Campaigns, createCampaigns } from '../../../src/push/campaigns/campaigns.ts';
import type { Content } from '../../../src/push/content/content.ts';
import { namesIn } from '../../../src/push/content/fill.ts';
import type { DeliveryState } from '../../../src/push/content/message.ts';
import type { Database } from '../../../src/push/database/database.ts';
import { newId } from '../../../src/push/database/new-id.ts';
import { type Answer, type Caller, Refusal } from '../../../src/push/http/route.ts';
import { insertMessages } from '../../../src/push/queue/accept-store.ts';
import { checkVariables } from '../../../src/push/templates/template.ts';
import { transact } from '../../../src/server/database.ts';

/** Monday, 10:07 in Shanghai. */
export const MONDAY = Date.parse('2026-11-23T10:07:00+08:00');

/** The fields of an answer that the tests look at. */
export interface Body {
  readonly error?: string;
  readonly id: string;
  readonly state: string;
  readonly total: number;
  readonly doubles: number;
  readonly nextRunAt: string | null;
  readonly problem: string | null;
  readonly progress: Readonly<Record<string, number>> & { readonly byErrcode: Record<string, number> };
  readonly campaigns: readonly { readonly id: string }[];
  readonly receivers: readonly { readonly user: string; readonly errcode?: number | string }[];
  readonly next?: string;
}
export type CampaignAnswer = Answer & { readonly body: Body };

/** A caller of this app; it may use every template and send to every user unless said otherwise. */
export function callerOf(app: string, words: readonly string[] = ['campaigns', 'template']): Caller {
  return { app, scopes: readScopes(words), callbackHosts: ['hooks.internal'] };
}

/** Campaigns on a real database, with the writing half of the message queue, a clock, and somebody who delivers by hand. */
export async function openCampaignHarness() {
  const clock = { at: MONDAY };
  const opened = await openPushDatabase();
  const { url, drop } = opened;
  const db = withDatabaseTime(opened.db, () => clock.at);
  const keys = createKeys({
    db,
    masterKey: 'a master key of the tests, 32 characters long',
    now: () => clock.at,
  });
  for (const app of ['shop', 'other', 'small']) {
    await keys.create({ app, scopes: ['campaigns', 'template'] });
  }
  const errors: unknown[] = [];
  const inserted: string[] = [];
  const noted: string[] = [];
  const templates = new Map<string, Content>([
    ['hello', { text: 'hello' }],
    ['vote', { templateCard: { card_type: 'vote_interaction', task_id: `\${ID}` } }],
    ['bonus', { text: ['USERID', 'AMOUNT', 'UNIT'].map((name) => `\${${name}}`).join(' ') }],
  ]);
  const parts: CampaignParts = {
    db,
    messageQueue: {
      insert: async (tx, messages) => {
        const drafts = messages.map((message) => ({ id: newId(clock.at), at: clock.at, message }));
        await insertMessages(tx, drafts);
        inserted.push(...drafts.map(({ id }) => id));
        return drafts.map(({ id }) => id);
      },
      wake: () => {},
    },
    templates: {
      async resolve(key, variables, given) {
        const content = templates.get(key);
        if (content === undefined) throw new InputError(`there is no template "${key}"`);
        checkVariables(namesIn(content), variables, given);
        return { content, version: 3 };
      },
    },
    accounts: { has: (account) => ['default', 'shop'].includes(account) },
    webhooks: { note: async (_tx, ids) => void noted.push(...ids), wake: () => {} },
    now: () => clock.at,
    newId: () => newId(clock.at),
    onError: (error) => errors.push(error),
  };
  const replica = (other: Partial<CampaignParts> = {}) => createCampaigns({ ...parts, ...other });
  const campaigns = replica();

  async function ask(line: string, request: RequestParts = {}): Promise<CampaignAnswer> {
    const [method, path = ''] = line.split(' ');
    const [, , id = '', last] = path.split('/');
    const pattern = [`/campaigns`, ...(id === '' ? [] : ['/:id']), ...(last ? [`/${last}`] : [])].join('');
    const found = (request.of ?? campaigns).routes.find(
      (route) => route.method === method && route.path === pattern,
    );
    if (found === undefined) throw new Error(`there is no ${line}`);
    const raw = request.raw ?? Readable.from([]);
    try {
      const answer = await found.handle({
        caller: request.caller ?? callerOf('shop'),
        params: { id },
        query: found.query?.parse(request.query ?? {}),
        body: undefined,
        raw,
        contentType: 'application/x-ndjson',
        bodyHash: request.bodyHash ?? createHash('sha256').update(randomUUID()).digest('hex'),
      });
      return answer as CampaignAnswer;
    } catch (error) {
      if (error instanceof InputError) return { status: 400, body: { error: error.message } as Body };
      if (error instanceof Refusal) return { status: error.status, body: { error: error.message } as Body };
      throw error;
    }
  }
  /** Makes a campaign; resolves to its answer. */
  const make = (head: object, receivers: Iterable<unknown>, request: RequestParts = {}) =>
    ask('POST /campaigns', {
      raw: ndjson({ name: 'a', template: { key: 'hello' }, ...head }, receivers),
      ...request,
    });
  const look = async (id: string): Promise<Body> => (await ask(`GET /campaigns/${id}`)).body;
  return {
    ...{ db, url, parts, campaigns, replica, clock, errors, inserted, noted, templates, ask, make, look },
    deliver: (count: number, state: DeliveryState = 'sent', errcode = '0') =>
      deliver(db, { count, state, errcode, now: clock.at }),
    close: () => drop(),
  };
}

interface RequestParts {
  readonly of?: Campaigns;
  readonly caller?: Caller;
  readonly query?: object;
  readonly raw?: Readable;
  readonly bodyHash?: string;
}

/** A stream of NDJSON in chunks that end anywhere. */
export function ndjson(head: unknown, receivers: Iterable<unknown>, chunk = 10_000): Readable {
  function* bytes() {
    let text = `${JSON.stringify(head)}\n`;
    for (const each of receivers) {
      text += `${typeof each === 'string' && each.startsWith('!') ? each.slice(1) : JSON.stringify(each)}\n`;
      if (text.length < chunk) continue;
      yield Buffer.from(text);
      text = '';
    }
    yield Buffer.from(text);
  }
  return Readable.from(bytes());
}

/** u1 to uN. */
export function* users(count: number): Iterable<string> {
  for (let each = 1; each <= count; each += 1) yield `u${each}`;
}

/** Ends the oldest queued deliveries, as the engine would. */
async function deliver(
  db: Database,
  to: {
    readonly count: number;
    readonly state: DeliveryState;
    readonly errcode: string;
    readonly now: number;
  },
): Promise<number> {
  return transact(db, async (tx) => {
    const rows = await tx
      .selectFrom('deliveries')
      .select(['id', 'message_id'])
      .where('state', '=', 'queued')
      .orderBy('id')
      .limit(to.count)
      .forUpdate()
      .execute();
    if (rows.length === 0) return 0;
    await tx
      .updateTable('deliveries')
      .set({ state: to.state, errcode: to.errcode, line: null, finished_at: to.now, tries: 1 })
      .where('id', '>=', rows[0]?.id ?? 0)
      .where('id', '<=', rows.at(-1)?.id ?? 0)
      .where('state', '=', 'queued')
      .execute();
    for (const [id, some] of Map.groupBy(rows, (row) => row.message_id)) {
      await sql`update messages set open = open - ${some.length},
        finished_at = if(open = 0, ${to.now}, finished_at) where id = ${id}`.execute(tx);
    }
    return rows.length;
  });
}

/** How often each user stands in the deliveries: for "nobody twice, nobody left out". */
export async function handedOut(db: Database): Promise<ReadonlyMap<string, number>> {
  const rows = await db
    .selectFrom('deliveries')
    .select(({ fn }) => ['receiver', fn.countAll<number>().as('count')])
    .groupBy('receiver')
    .execute();
  return new Map(rows.map(({ receiver, count }) => [receiver.slice('user:'.length), Number(count)]));
}
