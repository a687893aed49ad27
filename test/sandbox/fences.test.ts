import { execFile } from 'node:child_process';
import { beforeAll, describe, expect, test } from 'vitest';
import { programOf, RIGHTS } from '../../src/sandbox/process.ts';

const fence = new URL('../../src/sandbox/no-network.ts', import.meta.url).href;

const restricted = /Access to this API has been restricted|ERR_ACCESS_DENIED/;
const network = /^Error: menus have no network$/;
const attempts: Readonly<Record<string, readonly [code: string, why: RegExp]>> = {
  'a file': [`fs.promises.readFile('/etc/passwd')`, restricted],
  'a file of the code': [`fs.promises.readFile(${JSON.stringify(import.meta.filename)})`, restricted],
  'a folder': [`fs.promises.readdir('/')`, restricted],
  'a file that is written': [`fs.promises.writeFile('/tmp/keypad-never', '')`, restricted],
  'a program': [`child.spawn('/bin/true')`, restricted],
  'a thread': [`new Worker('', { eval: true })`, restricted],
  'a binding': [`process.binding('tcp_wrap')`, restricted],
  'an addon': [`process.dlopen({ exports: {} }, '/x.node')`, /Cannot load native addon|restricted|disabled/],
  'code from a text': [`eval('1')`, /^EvalError: Code generation from strings disallowed/],
  'a request': [`fetch('http://127.0.0.1:19999/')`, network],
  'one by the module for it': [
    `new Promise((done, fail) => http.get('http://127.0.0.1:19999/').on('error', fail))`,
    network,
  ],
  'a connection': [`net.connect(9, '127.0.0.1')`, network],
  'a local socket': [`net.connect('/run/docker.sock')`, network],
  'a server': [`net.createServer().listen(0)`, network],
  'a datagram': [`dgram.createSocket('udp4').send('x', 9, '127.0.0.1')`, network],
  'a name': [`dns.promises.resolve4('localhost')`, network],
  'a name by the system': [`new Promise((done) => dns.lookup('localhost', done))`, network],
  'a name by a resolver of its own': [`new dns.promises.Resolver().resolve4('localhost')`, network],
  'a change for all objects': [`Object.prototype.x = 1`, /^TypeError: Cannot (add|assign)/],
};

/** What code comes to in a process like that of the menus: what whoever breaks out of the realm has. */
async function outcomesOf(codes: readonly string[]): Promise<readonly string[]> {
  const text = `${programOf(fence)};
    import net from 'node:net'; import dgram from 'node:dgram'; import dns from 'node:dns'; import http from 'node:http';
    import fs from 'node:fs'; import child from 'node:child_process'; import { Worker } from 'node:worker_threads';
    (await import(${JSON.stringify(fence)})).closeNetwork();
    const tried = (attempt) => new Promise((done) => done(attempt())).then(String, (error) => \`\${error.cause ?? error}\`);
    const outcomes = [];
    ${codes.map((code) => `outcomes.push(await tried(() => ${code}));`).join('\n')}
    console.log(JSON.stringify(outcomes));
    process.exit();`;
  const running = execFile(process.execPath, [...RIGHTS, '--input-type=module', '-'], { env: {}, cwd: '/' });
  running.stdin?.end(text);
  const said = await running.stdout?.toArray();
  return JSON.parse(said?.join('') ?? '');
}

describe('whoever breaks out of the realm has no', () => {
  let outcomes: readonly string[];
  beforeAll(async () => {
    outcomes = await outcomesOf([
      ...Object.values(attempts).map(([code]) => code),
      'Object.keys(process.env)',
    ]);
  });

  test.each(Object.entries(attempts))('%s', (what, [, why]) => {
    expect(outcomes[Object.keys(attempts).indexOf(what)]).toMatch(why);
  });

  test('environment', () => expect(outcomes.at(-1)).toBe(''));
});
