import { describe, expect, test } from 'vitest';
import { campaignSchema, readLine } from '../../../src/push/campaigns/campaign-schema.ts';
import { readValue } from '../../../src/push/content/read-value.ts';
import { messageQuery, messageSchema } from '../../../src/push/messages/message-schema.ts';

const schema = messageSchema(() => Date.parse('2026-11-21T08:00:00Z'));
const users = ['zhangsan'];
const hello = { to: { users }, text: 'hello' };

describe('a refusal names the field, what is wrong, and what would be right', () => {
  const messages: readonly (readonly [string, unknown])[] = [
    ['the message: must be an object, and is a list', []],
    ['the message: must be an object, and is null', null],
    ['to: is missing', { text: 'hello' }],
    ['to: has no field "user"; its fields are users, departments, tags, chats, robots', { to: { user: [] } }],
    ['to.users: must be a list, and is a string', { ...hello, to: { users: 'zhangsan' } }],
    ['to.users.0: must be a userid, or @all alone', { ...hello, to: { users: ['张三'] } }],
    ['the message: has no field "txt"; its fields are to, text, markdown, ', { to: { users }, txt: 'hello' }],
    ['text: must be a string, and is a number', { ...hello, text: 5 }],
    ['priority: must be one of alert, normal, bulk', { ...hello, priority: 'high' }],
    ['wait: must be true or false, and is a string', { ...hello, wait: 'yes' }],
    ['textcard.description: is missing', { to: { users }, textcard: { title: 't', url: 'https://a' } }],
    ['news.articles: must have at least 1', { to: { users }, news: { articles: [] } }],
    [
      'templateCard.card_type: must be one of text_notice, news_notice, button_interaction, ',
      { to: { users }, templateCard: { card_type: 'x' } },
    ],
    [
      'template.variables.host: must be 1 to 32 capital letters',
      { to: { users }, template: { key: 'k', variables: { host: '' } } },
    ],
    [
      'callbackUrl: must be at most 2048 characters long',
      { ...hello, callbackUrl: `https://a/${'x'.repeat(2048)}` },
    ],
  ];
  test.each(messages)('%s', (problem, message) => {
    expect(() => readValue(schema, message, 'the message')).toThrow(problem);
  });

  test.each([
    ['limit: must be at most 100', { limit: '101' }],
    ['limit: must be a number, and is no number', { limit: 'many' }],
    ['limit: must be a whole number', { limit: '1.5' }],
    ['state: must be one of queued, sending, sent, failed, dead, recalled', { state: 'lost' }],
    [
      'the query: has no field "lane"; its fields are state, receiver, since, until, priority, ',
      { lane: 'alert' },
    ],
  ])('%s', (problem, query) => {
    expect(() => readValue(messageQuery, query, 'the query')).toThrow(problem);
  });

  test.each([
    ['template: is missing', { name: 'n' }],
    ['perMinute: must be at least 1', { name: 'n', template: { key: 'k' }, perMinute: 0 }],
  ])('of a campaign: %s', (problem, campaign) => {
    expect(() => readLine(campaignSchema, Buffer.from(JSON.stringify(campaign)))).toThrow(problem);
  });
});
