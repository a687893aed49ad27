import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createSecret } from '../../../src/config.ts';
import { createCommands } from '../../../src/ops/declared/commands.ts';
import { createDeclared } from '../../../src/ops/declared/index.ts';
import { COMMAND_USER, type Replica, until } from '../ops-harness.ts';
import { type CommandHarness, isRunning, openCommandHarness, text } from './command-harness.ts';

const SECRET = 'hunter-2-of-the-cache';

let harness: CommandHarness;
let ops: Replica;
beforeAll(async () => {
  harness = await openCommandHarness();
  const { script, declare } = harness;
  const input = { name: text('名字') };
  const echo = script('echo', 'printf "[%s]\\n" "$#" "$@"');
  declare('echo', { run: echo, args: ['-n', '{name}', 'x={name}', '{{}}', '{unit}/{name}'] }, { input });
  declare('dashed', { run: echo, args: [{ text: '{name}', dash: 'allowed' }] }, { input });
  declare('environment', {
    run: script('environment', 'env | sort; pwd; umask; id -u; id -G; ls /proc/self/fd; cat'),
    env: { A: 'a b', LANG: 'C' },
    cwd: '/usr',
    lines: 100,
  });
  declare('stdin', { run: '/bin/cat', stdin: 'name={name}\nend' }, { input });
  declare('large', { run: script('large', 'yes 0123456789 | head -c 10485760; echo; echo last'), lines: 3 });
  declare('wide', {
    run: script('wide', 'head -c 10485760 /dev/zero | tr "\\0" x; echo; echo last'),
    lines: 3,
  });
  declare('odd', {
    run: script(
      'odd',
      `printf '\\033[31mred\\033[0m\\n\\377\\376 bytes\\na\\033]0;title\\007b\\n10%%\\r20%%\\r30%%\\n中文\\n1 确认\\n'`,
    ),
  });
  declare(
    'exits',
    {
      run: script('exits', 'echo "$1"; echo why >&2; exit "$1"'),
      args: ['{code}'],
      exit: { 0: '好', 2: '盘满了' },
      success: [0, 1],
    },
    { input: { code: { title: '码', type: 'integer', minimum: 0, maximum: 200 } } },
  );
  const leave = `setsid sh -c 'echo $$ >"$0.left"; exec sleep 1000' "$1" & until [ -s "$1.left" ]; do :; done`;
  declare('leaves', { run: script('leaves', leave), args: [`${harness.directory}/out/read`] });
  declare('hangs', {
    run: script('hangs', `echo begun; echo $$ >"$1.pid"; trap '' TERM; ${leave}; while :; do sleep 1; done`),
    args: [`${harness.directory}/out/hangs`],
    seconds: 1,
  });
  declare(
    'secret',
    {
      run: script(
        'secret',
        `tr '\\0' '\\n' </proc/$$/cmdline; echo "it is $TOKEN, $TOKEN"; echo "no $TOKEN" >&2; exit "$1"`,
      ),
      args: ['{code}'],
      secrets: { TOKEN: { env: 'CACHE_TOKEN' } },
    },
    { input: { code: { title: '码', type: 'integer', minimum: 0, maximum: 200 } } },
  );
  const out = join(harness.directory, 'out');
  mkdirSync(out);
  chmodSync(out, 0o777);
  ops = await harness.startReplica({
    operationsDir: harness.operationsDir,
    pluginEnvironment: createSecret({ CACHE_TOKEN: SECRET, OF_THE_PLATFORM: 'x' }),
  });
});
afterAll(() => harness.stop());

const run = (name: string, input: object = {}) => ops.as('zhangsan').post(name, { unit: '电商', ...input });
const linesOf = async (name: string, input: object = {}) => {
  const answered = await run(name, input);
  if (answered.state !== 'done') throw new Error(JSON.stringify(answered));
  return answered.output as string[];
};
const pidIn = (name: string) => Number(readFileSync(join(harness.directory, 'out', name), 'utf8'));

describe('what was typed', () => {
  test.each([
    'it\'s 2" `x`',
    '$(id)',
    '; rm -rf /',
    '../../etc/passwd',
    '%2e%2e',
    '中文 和 空格',
    '{unit}',
    '*',
    '\\n',
    '"$1" && id | cat > x',
    '~',
  ])('is one argument, whatever it is: %s', async (name) => {
    expect(await linesOf('echo', { name })).toEqual(
      ['5', '-n', name, `x=${name}`, '{}', `电商/${name}`].map((each) => `[${each}]`),
    );
  });

  test('is no option: an argument that it begins has no dash, unless its author lets it', async () => {
    expect(await run('echo', { name: '-rf' })).toEqual({
      state: 'refused',
      reason: 'input',
      message: '「-rf」不能以 - 开头',
    });
    expect(await linesOf('dashed', { name: '-rf' })).toEqual(['[1]', '[-rf]']);
  });

  test('has no line ends and no other control characters', async () => {
    for (const name of ['a\nb', 'a\0b', '\x1b[1m', '', '\ud800']) {
      expect(await run('echo', { name })).toMatchObject({ state: 'refused', reason: 'input' });
    }
  });

  test('stands on the standard input where it is written there', async () => {
    expect(await linesOf('stdin', { name: '$(id)' })).toEqual(['name=$(id)', 'end']);
  });
});

/** What this process was started with; the descriptors that it opens itself are closed in what it starts. */
const inherited = readdirSync('/proc/self/fdinfo').filter((name) => {
  const isOpen = existsSync(`/proc/self/fdinfo/${name}`) && Number(name) > 2;
  return isOpen && !/^flags:\s+02\d{6}$/m.test(readFileSync(`/proc/self/fdinfo/${name}`, 'utf8'));
});

test('it has the environment that is declared, its folder, an empty input, and nothing of the platform', async () => {
  const lines = await linesOf('environment');
  const own = COMMAND_USER ?? { uid: process.getuid?.(), gid: process.getgid?.() };
  expect(lines.filter((line) => !/^(PWD|OLDPWD|SHLVL|_)=/.test(line))).toEqual([
    'A=a b',
    expect.stringMatching(/^KEYPAD_RUN=[\w-]{36}$/),
    'LANG=C',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    '/usr',
    '0077',
    `${own.uid}`,
    `${own.gid}`,
    ...['0', '1', '2', '3', ...inherited].sort(),
  ]);
});

describe('its output', () => {
  test.each(['large', 'wide'])('of 10 MiB is cut to its last lines, in little memory: %s', async (name) => {
    const before = process.memoryUsage().rss;
    const lines = await linesOf(name);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
    expect(lines.at(-1)).toBe('last');
    if (name === 'large') expect(lines).toEqual(['……前面还有 953249 行', '0123456789', '0123456789', 'last']);
    else expect(lines[0]).toMatch(/^x{499}…$/);
  });

  test('has no colours, no control characters, and may be no UTF-8', async () => {
    expect(await linesOf('odd')).toEqual(['red', '�� bytes', 'ab', '10%', '20%', '30%', '中文', '1 确认']);
  });
});

test('its exit code is good or not, as it says, and means what it says', async () => {
  expect(await linesOf('exits', { code: 0 })).toEqual(['0', 'why']);
  expect(await linesOf('exits', { code: 1 })).toEqual(['1', 'why']);
  expect(await run('exits', { code: 2 })).toEqual({
    state: 'failed',
    message: expect.stringMatching(/^脚本没有成功：盘满了（退出码 2）；最后一行：(2|why)$/),
  });
  expect(await run('exits', { code: 3 })).toMatchObject({ message: expect.stringContaining('：退出码 3；') });
});

describe('what it starts', () => {
  test('ends with it, also what has left its group', async () => {
    expect(await linesOf('leaves')).toEqual([]);
    const left = pidIn('read.left');
    await until(async () => !isRunning(left));
  });

  test('ends with it when it hangs and does not listen to SIGTERM', async () => {
    expect(await run('hangs')).toEqual({
      state: 'failed',
      message: '脚本没有成功：超过 1 秒，被中止；最后一行：begun',
    });
    const [own, left] = [pidIn('hangs.pid'), pidIn('hangs.left')];
    await until(async () => !isRunning(own) && !isRunning(left));
  });
});

test('a secret is in its environment, and in no argument, answer, audit or log', async () => {
  expect(await linesOf('secret', { code: 0 })).toEqual([
    '/bin/sh',
    expect.any(String),
    '0',
    'it is ***, ***',
    'no ***',
  ]);
  expect(await run('secret', { code: 1 })).toMatchObject({ state: 'failed' });
  const audit = await harness.sql('select * from audit');
  expect(JSON.stringify([audit, ops.logged])).not.toContain(SECRET);
});

describe('when it is loaded', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keypad-commands-'));
  chmodSync(folder, 0o755);
  afterAll(() => rmSync(folder, { recursive: true }));
  const write = (name: string, mode: number, words = '#!/bin/sh\necho\n') => {
    writeFileSync(join(folder, name), words);
    chmodSync(join(folder, name), mode);
    return `./${name}`;
  };
  const load = (command: object, more: object = {}, user = COMMAND_USER) =>
    createDeclared({ environment: {}, commands: createCommands({ folder, user }) })(
      JSON.stringify({ kind: 'command', title: '脚本', risk: 'read', command, ...more }),
    );

  test.each<[string, () => object, RegExp, object?]>([
    ['a name without a path', () => ({ run: 'df' }), /command\.run: is the whole path of a program/],
    [
      'what is not there',
      () => ({ run: '/bin/no-such' }),
      /command\.run: \/bin\/no-such is not there; write the whole path/,
    ],
    ['a path out of the folder', () => ({ run: './../../bin/df' }), /leads out of the folder|is not there/],
    [
      'a link out of the folder',
      () => {
        symlinkSync('/bin/df', join(folder, 'link'));
        return { run: './link' };
      },
      /\.\/link leads out of the folder of operations/,
    ],
    ['a folder', () => ({ run: '/bin' }), /\/bin is no file/],
    ['what may not be run', () => ({ run: write('plain.sh', 0o644) }), /may not be run by .*chmod 755/],
    [
      'what its user may not run',
      () => ({ run: write('mine.sh', 0o700) }),
      COMMAND_USER ? /may not be run by the user 65534:65534/ : /^$/,
    ],
    [
      'what everybody may write',
      () => ({ run: write('open.sh', 0o757) }),
      /may be written by others than the platform .*chmod 755/,
    ],
    [
      'what begins with nothing that runs it',
      () => ({ run: write('bare.sh', 0o755, 'echo\n') }),
      /is no program; a script begins with #!/,
    ],
    [
      'an unbound part',
      () => ({ run: '/bin/df', args: ['{nobody}'] }),
      /command\.args\.0: has the part \{nobody\}, which is not there/,
    ],
    [
      'a secret in an argument',
      () => ({ run: '/bin/df', args: ['{KEY}'], secrets: { KEY: { env: 'HOME' } } }),
      /command\.args\.0: a secret has no place in an argument/,
    ],
    [
      'a missing secret',
      () => ({ run: '/bin/df', secrets: { KEY: { env: 'NO_SUCH' } } }),
      /command\.secrets: the secret KEY is missing: NO_SUCH is not set/,
    ],
    [
      'what a linker obeys',
      () => ({ run: '/bin/df', env: { LD_PRELOAD: 'x' } }),
      /command\.env.*is obeyed by linkers/,
    ],
    [
      'a folder that is not there',
      () => ({ run: '/bin/df', cwd: '/no/such' }),
      /command\.cwd: \/no\/such is no folder/,
    ],
    [
      'a read that takes long',
      () => ({ run: '/bin/df', seconds: 11 }),
      /command\.seconds: somebody waits for a read/,
    ],
    ['over ten minutes', () => ({ run: '/bin/df', seconds: 601 }), /command\.seconds/, { risk: 'high' }],
    [
      'an input that is used nowhere',
      () => ({ run: '/bin/df' }),
      /input\.name: is used nowhere/,
      { input: { name: text('x') } },
    ],
    ['dual', () => ({ run: '/bin/df' }), /risk: `dual` needs/, { risk: 'dual' }],
  ])('%s is named with the remedy', (_what, command, problem, more) => {
    if (problem.source === '^$') return;
    expect(() => load(command(), more)).toThrow(problem);
  });

  test.runIf(COMMAND_USER)('root runs nothing unless it is said as whom', () => {
    const asRoot = () =>
      createDeclared({ environment: {}, commands: createCommands({ folder, user: undefined }) })(
        JSON.stringify({ kind: 'command', title: '脚本', risk: 'read', command: { run: '/bin/df' } }),
      );
    expect(asRoot).toThrow(
      'command.run: the platform runs as root, as which it runs no command; set OPS_COMMAND_USER',
    );
  });

  test.runIf(COMMAND_USER)('what belongs to the user that it runs as is not run', () => {
    const run = write('own.sh', 0o755);
    chownSync(join(folder, 'own.sh'), 65534, 65534);
    expect(() => load({ run })).toThrow('may be written by others than the platform (owner 65534');
  });

  test('in a folder that everybody may write it is not run', () => {
    const open = join(folder, 'open');
    mkdirSync(open);
    chmodSync(open, 0o777);
    onTestFinished(() => rmSync(open, { recursive: true }));
    write('open/x.sh', 0o755);
    expect(() => load({ run: './open/x.sh' })).toThrow('may be written by everybody; chmod o-w');
  });

  test('a good one is', () => {
    expect(load({ run: write('good.sh', 0o755) })).toMatchObject({ kind: 'read', title: '脚本' });
  });
});
