import { createServer } from 'node:http';

/**
 * A WeCom that takes everything and answers message/send after so many ms: the bench measures delivery, not the
 * simulator. `node wecom.ts PORT MS`; GET /count tells how many it has taken, GET /arrivals when each text that begins
 * with "latency" arrived (Unix ms).
 */
const [port, ms] = process.argv.slice(2).map(Number);
let taken = 0;
const arrivals: Record<string, number> = {};
const answers: Readonly<Record<string, () => object>> = {
  '/cgi-bin/gettoken': () => ({ access_token: 'bench', expires_in: 7200 }),
  '/count': () => ({ taken }),
  '/arrivals': () => ({ arrivals }),
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
  request
    .on('data', (data: Buffer) => {
      const [, text] = /"content":"(latency [^"]+)"/.exec(data.toString('latin1')) ?? [];
      if (text !== undefined) arrivals[text] = performance.timeOrigin + performance.now();
    })
    .once('end', () => (path === '/cgi-bin/message/send' ? setTimeout(reply, ms) : reply()));
}).listen(port, '127.0.0.1');
