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

/** Design §4, with `server` (what the roles share as servers) and `config`. */
export const arrows: Readonly<Record<string, Allowed>> = {
  menus: { any: ['#menu'], types: ['contract'] },
  menu: { any: [], in: { [NODE]: /^src\/menu\/load\.ts$/ } },
  wecom: { any: ['errors', 'fast-xml-parser', 'node:crypto'] },
  contract: { any: ['errors', 'zod', 'jose', NODE] },
  chat: { any: ['errors', 'menu', NODE], types: ['server'] },
  bot: {
    any: ['errors', 'server', 'contract', 'wecom', 'chat', 'fastify', 'src/push/client.ts', NODE],
    types: ['config', 'menu', 'prom-client'],
  },
  ops: {
    any: ['errors', 'server', 'contract', 'fastify', 'yaml', 'zod', NODE],
    types: ['config', 'prom-client'],
    in: {
      '@kubernetes/client-node': /^src\/ops\/operations\/kubernetes\//,
      kysely: /^src\/ops\/(database|migrations)\.ts$/,
      config: /^src\/ops\/verify-audit\.ts$/,
    },
  },
  push: {
    any: ['errors', 'server', 'wecom', 'contract', 'fastify', 'zod', 'prom-client', NODE],
    types: ['config'],
    in: {
      kysely: /^src\/push\/([a-z-]+\/)*([a-z-]+-)?(database|migrations|schema|store)\.ts$/,
      bullmq: /^src\/push\/(delivery|console)\//,
      'cron-parser': /^src\/push\/campaigns\/schedule\.ts$/,
      '@bull-board/api': /^src\/push\/console\//,
      '@bull-board/fastify': /^src\/push\/console\//,
      config: /^src\/push\/keys\/main\.ts$/,
    },
  },
  server: {
    any: ['errors', 'fastify', 'pino', 'prom-client', NODE],
    in: {
      ioredis: /^src\/server\/redis\.ts$/,
      kysely: /^src\/server\/(mysql|migrations)\.ts$/,
      mysql2: /^src\/server\/mysql\.ts$/,
    },
  },
  config: { any: ['errors', 'server', 'contract', NODE] },
  errors: { any: [] },
};

/** The arrows of a file that the table does not allow, each as one line. */
export function wrongArrows(file: SourceFile): readonly string[] {
  const from = folderOf(file.path);
  // The demo and main.ts may import everything.
  if (from === 'demo' || from === 'main') return [];
  const allowed = arrows[from];
  if (allowed === undefined) return [`${file.path} stands in no folder of the table`];
  return readImports(file)
    .filter((imported) => !isAllowed(file.path, allowed, imported))
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

function folderOf(path: string): string {
  const [top, next = ''] = path.split('/');
  return top === 'src' ? next.replace(/\.ts$/, '') : (top ?? '');
}
