import { type Import, readImports, type SourceFile } from './sources.ts';

/** What a folder may import: names of folders, packages, or paths; `in` narrows the last two to some files. */
interface Allowed {
  readonly any: readonly string[];
  /** Only with `import type`. */
  readonly types?: readonly string[];
  /** Target → the files that may import it. */
  readonly in?: Readonly<Record<string, RegExp>>;
}

/** Packages of Node itself that are needed by everything that is not pure. */
const NODE = 'node:';

/** Which room may import which (ARCHITECTURE.md draws the same). */
export const arrows: Readonly<Record<string, Allowed>> = {
  menus: { any: ['#menu'] },
  operations: { any: ['#operations', 'zod', '@kubernetes/client-node', 'node:crypto'] },
  menu: {
    any: ['errors', 'plain-text'],
    in: {
      'src/server/module-folder.ts': /^src\/menu\/tree\/load\.ts$/,
      'src/server/pattern.ts': /^src\/menu\/tree\/derive\.ts$/,
    },
  },
  wecom: {
    any: ['errors', 'node:crypto'],
    types: ['src/server/http-client.ts'],
    in: { 'node:net': /^src\/wecom\/api\/callback-ranges\.ts$/ },
  },
  sandbox: { any: ['errors', 'menu', 'server', NODE] },
  contract: { any: ['errors', 'zod', 'jose', NODE] },
  chat: { any: ['errors', 'plain-text', 'menu', NODE], types: ['server', 'src/channels/channel.ts'] },
  channels: { any: ['errors', 'server', 'wecom', 'contract', 'fastify', NODE] },
  bot: {
    any: [
      ...['errors', 'server', 'contract', 'wecom', 'chat', 'channels', 'sandbox'],
      ...['fastify', 'zod', 'src/push/client.ts', NODE],
    ],
    types: ['config', 'prom-client'],
    in: { config: /^src\/bot\/accounts\.ts$/ },
  },
  ops: {
    any: ['errors', 'plain-text', 'server', 'contract', 'fastify', 'zod', NODE],
    types: ['config', 'prom-client'],
    in: {
      'src/push/client.ts': /^src\/ops\/(app|outbox\/sender)\.ts$/,
      '@kubernetes/client-node': /^src\/ops\/(targets|declared)\//,
      '@jmespath-community/jmespath': /^src\/ops\/declared\/expression\.ts$/,
      kysely: /^src\/ops\/(database|migrations|targets\/(mysql-server|report))\.ts$/,
      config: /^src\/ops\/audit\/verify\.ts$/,
    },
  },
  push: {
    any: ['errors', 'server', 'wecom', 'fastify', 'zod', 'prom-client', NODE],
    types: ['config'],
    in: {
      kysely: /^src\/push\/(database\/|([a-z-]+\/)*([a-z-]+-)?store\.ts$)/,
      'cron-parser': /^src\/push\/campaigns\/schedule\.ts$/,
      jose: /^src\/push\/token-store\.ts$/,
      config: /^src\/push\/(apps\/main|open-accounts)\.ts$/,
    },
  },
  server: {
    any: ['errors', 'plain-text', 'fastify', 'pino', 'prom-client', NODE],
    in: {
      ioredis: /^src\/server\/redis\.ts$/,
      kysely: /^src\/server\/(database|migrations)\.ts$/,
      mysql2: /^src\/server\/mysql\.ts$/,
      undici: /^src\/server\/http-client\.ts$/,
      yaml: /^src\/server\/yaml\.ts$/,
    },
  },
  config: { any: ['errors', 'server', 'contract', NODE] },
  errors: { any: [] },
  'plain-text': { any: [] },
};

/**
 * The inner folders of a room from the bottom up: each may import those before it in the list. Those that stand in one
 * group do not know each other. What lies beside the folders is for all of them, but for the file that puts the room together.
 */
export const floors: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'src/menu': [['words'], ['tree'], ['turn']],
  'src/channels': [['wecom-callback']],
  'src/wecom': [['xml'], ['crypto', 'events', 'api']],
  'src/ops': [
    ['policy', 'audit', 'outbox', 'kubeconfig'],
    ['targets'],
    ['operations'],
    ['declared'],
    ['engine', 'review'],
    ['http'],
  ],
  'src/push': [
    ['content'],
    ['database'],
    ['apps'],
    ['http'],
    ['media', 'templates', 'webhooks', 'directory', 'accounts'],
    ['queue'],
    ['sending'],
    ['messages'],
    ['campaigns'],
  ],
};

/** The file that puts a room together: nobody below imports it. */
const TOPS = /^src\/[a-z]+\/(app|open-[a-z-]+|index)\.ts$/;

/** The arrows of a file that the tables do not allow, each as one line. */
export function wrongArrows(file: SourceFile): readonly string[] {
  const from = folderOf(file.path);
  // The demo and main.ts may import everything.
  if (from === 'demo' || from === 'main') return [];
  const allowed = arrows[from];
  if (allowed === undefined) return [`${file.path} stands in no folder of the table`];
  return readImports(file)
    .filter((imported) => !isAllowed(file.path, allowed, imported) || isUpward(file.path, imported))
    .map(({ target, isType }) => `${file.path} → ${isType ? 'type ' : ''}${target}`);
}

function isAllowed(path: string, allowed: Allowed, { target, isType }: Import): boolean {
  const from = folderOf(path);
  const to = folderOf(target);
  if (from === to) return from !== 'menus' || /(^|\/)(_[^/]+|index)\.ts$/.test(target);
  const names = [target, to, ...(target.startsWith(NODE) ? [NODE] : [])];
  if (names.some((name) => allowed.any.includes(name))) return true;
  if (isType && names.some((name) => allowed.types?.includes(name))) return true;
  return names.some((name) => allowed.in?.[name]?.test(path));
}

/** Whether an import leads from an inner folder of a room to one above it, or beside it. */
function isUpward(path: string, { target }: Import): boolean {
  const room = path.split('/').slice(0, 2).join('/');
  const table = floors[room];
  const [from, to] = [path, target].map((each) => each.slice(room.length + 1).split('/'));
  if (table === undefined || !target.startsWith(`${room}/`) || from === undefined || to === undefined)
    return false;
  if (from.length === 1) return false;
  if (to.length === 1) return TOPS.test(target);
  if (from[0] === to[0]) return false;
  const floorOf = (folder = '') => table.findIndex((floor) => floor.includes(folder));
  return floorOf(to[0]) < 0 || floorOf(to[0]) >= floorOf(from[0]);
}

/** The room of a path: `bot` of `src/bot/app.ts`, `menus` of `menus/index.ts`. */
export function folderOf(path: string): string {
  const [top, next = ''] = path.split('/');
  return top === 'src' ? next.replace(/\.ts$/, '') : (top ?? '');
}
