import type { Skeleton } from './operation-skeletons.ts';

/** A declaration in YAML for each kind. */
export const declaredSkeletons: Readonly<Record<string, Skeleton>> = {
  http: {
    extension: 'yaml',
    text: `# What it does, and for whom.
kind: http
title: 新操作
risk: high
input:
  cache: { title: 缓存名, type: string, maxLength: 40 }
http:
  # The policy says where the service is (\`services\` of a unit).
  service: caches
  method: POST
  path: /caches/{cache}/flush
  idempotency: Idempotency-Key
  target: '{cache}'
  preview:
    request: { path: '/caches/{cache}' }
    what: 条目
    before: entries
    after: '0'
  show: flushed
`,
    takes: ['type FakeRequest', 'fakeHttp'],
    tests: (
      name,
      file,
    ) => `async function open(flush: () => { readonly status: number; readonly json: object }) {
  const asked: FakeRequest[] = [];
  const caches = (request: FakeRequest) => {
    asked.push(request);
    return request.method === 'GET' ? { status: 200, json: { entries: 3 } } : flush();
  };
  const op = await operationWith('${file}', { http: fakeHttp({ caches }) });
  const sent = () => asked.filter(({ method }) => method === 'POST').map(({ path }) => path);
  return { op, sent };
}

test('${name} says what will be, and does it once', async () => {
  const { op, sent } = await open(() => ({ status: 200, json: { flushed: 3 } }));
  expect(await op.preview({ cache: 'a b' })).toContain('条目 3 → 0');
  expect(await op.confirm()).toContain('3');
  expect(sent()).toEqual(['/caches/a%20b/flush']);
});

test('${name} is not sent again when its answer is lost', async () => {
  const { op, sent } = await open(() => {
    throw new Error('no answer');
  });
  await op.preview({ cache: 'goods' });
  expect(await op.confirm()).toContain('没有收到确切的结果');
  expect(await op.reconcile()).toContain('结果不明');
  expect(sent()).toHaveLength(1);
});
`,
  },
  sql: {
    extension: 'yaml',
    text: `# What it shows, and for whom.
kind: sql
title: 新报表
risk: read
input:
  most: { title: 最多几行, type: integer, minimum: 1, maximum: 50 }
sql:
  database: information_schema
  query: select schema_name as 库 from schemata where {most} > 0
  rows: 50
`,
    takes: ['fakeMysql'],
    tests: (name, file) => `test('${name} shows its rows as lines', async () => {
  const values: unknown[] = [];
  const mysql = fakeMysql({
    'shop-db': (_statement, bound) => {
      values.push(...bound);
      return [{ 库: 'shop' }];
    },
  });
  const op = await operationWith('${file}', { mysql });
  expect(await op.read({ most: 5 })).toEqual(['库 shop']);
  expect(values).toEqual(['5']);
});
`,
  },
  command: {
    extension: 'yaml',
    text: `# What it does, and for whom.
kind: command
title: 新命令
risk: low
limits: { running: 1 }
input:
  name: { title: 哪个应用, type: string, pattern: '^[a-z-]+$', maxLength: 40 }
command:
  # Or ./_scripts/some.sh, in the folder of operations.
  run: /usr/bin/echo
  args: ['done for {name}']
  seconds: 60
  target: '{name}'
`,
    takes: [],
    tests: (name, file) => `test('${name} runs once, and shows what the program says', async () => {
  const op = await operationWith('${file}');
  expect(await op.preview({ name: 'web' })).toContain('哪个应用：web');
  expect(await op.confirm()).toContain('done for web');
  expect(await op.confirm()).toContain('已经确认过');
});

test('${name} takes no input but what was meant', async () => {
  const op = await operationWith('${file}');
  expect(await op.preview({ name: '$(id)' })).toContain('「哪个应用」不符合');
});
`,
  },
  job: {
    extension: 'yaml',
    text: `# What it does, and for whom.
kind: job
title: 新任务
risk: low
input:
  month: { title: 月份（如 2026-11）, type: string, pattern: '^\\d{4}-(0[1-9]|1[0-2])$', maxLength: 7 }
job:
  seconds: 600
  lines: 5
  pod:
    containers:
      - name: report
        image: keypad-demo/report:1
        args: [报表 $(INPUT_MONTH)]
`,
    takes: ['fakeCluster'],
    tests: (name, file) => `async function open() {
  const cluster = fakeCluster([], { namespaces: ['shop'] });
  const op = await operationWith('${file}', { cluster });
  await op.preview({ month: '2026-11' });
  return { op, cluster };
}

test('${name} runs once, and its end is told', async () => {
  const { op, cluster } = await open();
  await op.confirm();
  await op.wait(5000);
  expect(op.told()).toContain('报表 2026-11');
  expect(cluster.list('jobs')).toHaveLength(1);
});

test('${name} never comes late once its user has read that it did not run', async () => {
  const { op, cluster } = await open();
  op.crash('before');
  await op.confirm();
  expect(await op.reconcile()).toContain('没有执行');
  await op.arrive();
  expect(cluster.list('jobs').filter(({ spec }) => !spec.suspend)).toEqual([]);
});
`,
  },
};
