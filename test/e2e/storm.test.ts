import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { SHOP, shopFolder } from '#test/shop.ts';
import { startWeCom } from '../../demo/wecom/start.ts';
import { startTestDemo } from '../helpers/demo.ts';
import { isLong, size } from '../helpers/size.ts';
import { startWeComRouter } from '../helpers/wecom-router.ts';

/**
 * Many people restart deployments, each their own and one after the other, while WeCom delivers every message several times
 * to three replicas of the bot, and processes are killed. In the end everybody has read the truth about each confirmation.
 */

const STORM_MS = size(1000, 150_000);
/** How long everything goes well, and who is killed then, in turn. */
const CALM_MS = size(400, 5000);
const VICTIMS = isLong ? (['bot', 'ops', 'bot'] as const) : (['bot'] as const);
const DELIVERIES = size(3, 8);
/** What a replica was at when it died is told within 15 s; then the platform may have to find out what became of it. */
const HEARD_MS = 60_000;

/** An enterprise of its own, in which everybody has one deployment. */
const people = {
  anna: 'web',
  bert: 'comment',
  carl: 'cart',
  dora: 'catalog',
  emil: 'push-worker',
  fred: 'image-proxy',
  gina: 'inventory',
  hans: 'member',
  ines: 'order',
  jana: 'recommend',
  karl: 'search',
  lena: 'api-gateway',
} as const;
type Person = keyof typeof people;
const everybody = (Object.keys(people) as Person[]).slice(0, size(3, 12));

const { file, remove } = shopFolder();
const account = { corpId: SHOP.corpId, agentId: SHOP.agentId, tokenFile: 'token', encodingAesKeyFile: 'aes' };
const more = { secretFile: 'secret', allowedSources: '127.0.0.1', limits: { accountLimit: 1000 } };
const users = everybody.map((person) => `wecom-callback/shop/${person}`).join(', ');

const router = await startWeComRouter();
const wecom = await startWeCom({
  ...SHOP,
  port: 0,
  members: everybody.map((userid) => ({ userid, name: userid, position: '', department: [1] })),
  memberLimits: [],
});
router.simulators.set(SHOP.corpId, wecom.url);
const demo = await startTestDemo({
  weComFor(url) {
    router.simulators.set('', url);
    return router.url;
  },
  settings: {
    ACCOUNTS_FILE: file('accounts.yaml', `accounts: ${JSON.stringify({ shop: { ...account, ...more } })}`),
    OPS_POLICY_FILE: file(
      'policy.yaml',
      readFileSync('deploy/policy.yaml', 'utf8').replace('[lisi]', `[lisi, ${users}]`),
    ),
  },
});
const bots = [`http://127.0.0.1:${demo.roleEnv.bot.BOT_PORT}/wecom/callback`];
while (bots.length < 3) bots.push(await demo.addBot());
wecom.setCallbackUrls(bots.map((url) => `${url}/shop`));
afterAll(async () => {
  await wecom.stop();
  await demo.stop();
  await router.stop();
  remove();
});

const generationOf = (person: Person): number =>
  demo.cluster.get('deployments', 'shop', people[person])?.metadata.generation ?? 0;
const read = (person: Person, kind: 'push' | 'passive'): readonly string[] =>
  wecom
    .messages(person)
    .filter((seen) => seen.kind === kind)
    .map(({ text }) => text);

/** Replies after which another message has to come: to anything, and to a confirmation. */
const PROMISE = /^处理中/;
const OPEN = /^处理中|已提交|结果未知|结果查清后会告诉你/;
const DONE = /已重启，/;
const NOT_DONE = /没有执行|没有处理完|请再发/;
const ENDS = new RegExp(`${DONE.source}|${NOT_DONE.source}`);

/** Waits for a message that is no reply, after so many that somebody has read. */
async function pushed(person: Person, count: number, fits: RegExp): Promise<string> {
  const end = Date.now() + HEARD_MS;
  while (Date.now() < end) {
    const text = read(person, 'push')
      .slice(count)
      .find((each) => fits.test(each));
    if (text !== undefined) return text;
    await sleep(50);
  }
  const last = [read(person, 'passive').at(-1), ...read(person, 'push').slice(count)];
  throw new Error(`${person} waits for ${fits} and has read ${JSON.stringify(last)}`);
}

let messages = 0;
/** Types a line, which is delivered several times until one of them is taken, and answers what comes of it in the end. */
async function say(person: Person, line: string): Promise<string> {
  const count = read(person, 'push').length;
  messages += 1;
  const same = { msgId: `70000000${messages}`, createTime: Math.floor(Date.now() / 1000) };
  const [open, later] = line === '1' ? [OPEN, ENDS] : [PROMISE, new RegExp(`^（回复 .{5} 的“${line}”）`)];
  for (let attempts = 0; attempts < 20; attempts += 1) {
    const gapMs = Math.round(Math.random() * 60);
    const { replies, status } = await wecom.say(person, line, { ...same, times: DELIVERIES, gapMs });
    const reply = replies.find((each) => each !== null) ?? null;
    if (reply !== null && !open.test(reply)) return reply;
    // WeCom takes an empty answer, too, and asks no more.
    if (reply !== null || status === 200) return pushed(person, count, later);
    await sleep(200);
  }
  throw new Error(`${person} reached no bot`);
}

interface Confirmation {
  readonly person: Person;
  readonly told: string;
}

/** Restarts a deployment and answers what its person was told of it in the end; null when there was nothing to confirm. */
async function restart(person: Person): Promise<Confirmation | null> {
  let screen = '';
  for (const line of ['#', 'hi', '1-1-3', people[person]]) screen = await say(person, line);
  return screen.includes('确认') ? { person, told: await say(person, '1') } : null;
}

test(
  'in a storm nobody is left in silence, nothing is done twice, and nothing false is told',
  async () => {
    const before = everybody.map(generationOf);
    const end = Date.now() + STORM_MS;
    const confirmed: Confirmation[] = [];
    const storm = everybody.map(async (person) => {
      for (let isHeard = false; !isHeard || Date.now() < end; ) {
        const confirmation = await restart(person);
        if (confirmation !== null) confirmed.push(confirmation);
        isHeard ||= confirmation !== null;
      }
    });
    const kills = async (): Promise<void> => {
      for (let count = 0; Date.now() + CALM_MS < end; count += 1) {
        const victim = VICTIMS[count % VICTIMS.length] ?? 'bot';
        await sleep(CALM_MS);
        // What is confirmed now does not become ready, so that the kill finds people in the middle.
        if (count % 2 === 0) demo.cluster.hold();
        await sleep(CALM_MS / 2);
        await demo.kill(victim);
        demo.cluster.release();
        await demo.restart(victim);
      }
    };
    await Promise.all([...storm, kills()]);
    const done = (person: string): number =>
      confirmed.filter((each) => each.person === person && DONE.test(each.told)).length;
    expect(everybody.map(generationOf).map((each, i) => each - (before[i] ?? 0))).toEqual(
      everybody.map(done),
    );
  },
  size(90_000, 400_000),
);
