import { PassThrough } from 'node:stream';
import { afterAll, expect, test } from 'vitest';
import { openTerminalPhone } from '../../../demo/terminal-phone.ts';
import { startWeCom } from '../../../demo/wecom/start.ts';
import { app, fieldOf, reply, startBot } from '../wecom/small-bot.ts';

const bot = await startBot(({ plaintext }) => {
  const text = fieldOf(plaintext, 'Content');
  return text === '坏' ? 'success' : reply(`收到 ${text}`);
});
const wecom = await startWeCom({ ...app, callbackUrls: [bot.url], port: 0 });
afterAll(async () => {
  await wecom.stop();
  await bot.stop();
});

function openPhone(user = 'zhangsan', url = wecom.url) {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let printed = '';
  output.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  const ended = openTerminalPhone({ url, user, input, output });
  const seen = async (text: string): Promise<void> => {
    while (!printed.includes(text)) await new Promise((resolve) => output.once('data', resolve));
  };
  return { input, ended, seen, printed: () => printed };
}

test('a phone in the terminal prints replies, pushed messages once each, and what went wrong', async () => {
  const phone = openPhone();
  phone.input.write('1\n\n');
  await phone.seen('收到 1');
  wecom.history.add({ user: 'zhangsan', direction: 'in', kind: 'push', text: '已完成', msgid: 'm' });
  wecom.history.add({ user: 'lisi', direction: 'in', kind: 'push', text: '不是给你的', msgid: 'm' });
  await phone.seen('已完成');
  phone.input.end('坏\n');
  await phone.ended;
  expect(phone.printed().match(/收到 1/g)).toHaveLength(1);
  expect(phone.printed()).toContain('没有收到回复：the reply is ignored');
  expect(phone.printed()).not.toContain('不是给你的');
});

test('it says in one sentence who is not known, and that no demo runs', async () => {
  await expect(openPhone('nobody').ended).rejects.toThrow('user must be one of zhangsan');
  await expect(openPhone('lisi', 'http://127.0.0.1:9').ended).rejects.toThrow(
    'No demo answers at http://127.0.0.1:9; start it with: npm run demo',
  );
});
