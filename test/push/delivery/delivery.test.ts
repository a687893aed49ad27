import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openPushDatabase } from '#test/push-database.ts';
import { startRedis } from '#test/redis.ts';
import {
  type Office,
  type OfficeParts,
  openOffice,
  type ScriptedWeCom,
  scriptedWeCom,
  textTo,
} from './office.ts';

let redis: Awaited<ReturnType<typeof startRedis>>;
let database: Awaited<ReturnType<typeof openPushDatabase>>;
let weCom: ScriptedWeCom;
const offices: Office[] = [];

beforeAll(async () => {
  [redis, database] = await Promise.all([startRedis(), openPushDatabase()]);
});
afterEach(async () => {
  await Promise.all(offices.splice(0).map((office) => office.close()));
});
afterAll(async () => {
  await Promise.all([redis.stop(), database.drop()]);
});

function open(parts: Partial<OfficeParts> = {}): Office {
  weCom ??= scriptedWeCom();
  const office = openOffice({
    mysqlUrl: database.url,
    redisUrl: redis.url,
    messenger: weCom.messenger,
    ...parts,
  });
  offices.push(office);
  return office;
}

test('a message is in the database before the answer, and is sent', async () => {
  weCom = scriptedWeCom();
  const office = open();
  const { id, isNew } = await office.accept(textTo('anna', 'hello'));
  expect(isNew).toBe(true);
  const row = await database.db.selectFrom('messages').selectAll().where('id', '=', id).executeTakeFirst();
  expect(row).toMatchObject({ app: 'ci', open: 1 });
  office.start();
  expect(await office.finished(id, 5000)).toBe(true);
  expect(weCom.textsTo('user:anna')).toEqual(['hello']);
  expect(office.told).toEqual([id]);
  expect(office.errors).toEqual([]);
});
