import { createServer } from 'node:http';

/**
 * A WeCom that takes everything and answers message/send after so many ms: the bench measures delivery, not the
 * simulator. `node wecom.ts PORT MS`; GET /count tells how many it has taken.
 */
const [port, ms] = process.argv.slice(2).map(Number);
let taken = 0;
const answers: Readonly<Record<string, () => object>> = {
  '/cgi-bin/gettoken': () => ({ access_token: 'bench', expires_in: 7200 }),
  '/count': () => ({ taken }),
  '/readyz': () => ({}),
};
createServer((request, response) => {
  const path = request.url?.split('?')[0] ?? '';
  const answer = answers[path] ?? (() => ({ msgid: `m${taken}`, invaliduser: '' }));
  const reply = (): void => {
    if (path === '/cgi-bin/message/send') taken += 1;
    response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ errcode: 0, errmsg: 'ok', ...answer() }));
  };
  request.resume().once('end', () => (path === '/cgi-bin/message/send' ? setTimeout(reply, ms) : reply()));
}).listen(port, '127.0.0.1');
