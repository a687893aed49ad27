import { describe, expect, test } from 'vitest';
import { wrongArrows } from './arrows.ts';
import { loadFiles, readImports } from './sources.ts';

test('every file imports only what its room may import, and inner folders only downwards', () => {
  const files = [...loadFiles('src/**/*.ts'), ...loadFiles('menus/**/*.ts')];
  expect(files.flatMap(wrongArrows)).toEqual([]);
});

describe('a wrong arrow is named with its file', () => {
  const cases = [
    ['menus/1-a/1-b.ts', `import { sql } from '../../src/ops/database.ts';`, 'src/ops/database.ts'],
    ['menus/1-a/1-b.ts', `import { contract } from '../../src/contract/index.ts';`, 'src/contract/index.ts'],
    ['menus/1-a/1-b.ts', `import { other } from './2-c.ts';`, 'menus/1-a/2-c.ts'],
    ['src/menu/turn/turn.ts', `import { readFile } from 'node:fs/promises';`, 'node:fs'],
    ['src/menu/turn/turn.ts', `import { z } from 'zod';`, 'zod'],
    ['src/chat/chat.ts', `import { Redis } from 'ioredis';`, 'ioredis'],
    ['src/wecom/api/api.ts', `import type { Tree } from '../../menu/index.ts';`, 'type src/menu/index.ts'],
    ['src/bot/app.ts', `import { KubeConfig } from '@kubernetes/client-node';`, '@kubernetes/client-node'],
    ['src/bot/app.ts', `export * from '../ops/policy/policy.ts';`, 'src/ops/policy/policy.ts'],
    ['src/bot/app.ts', `import '../../demo/main.ts';`, 'demo/main.ts'],
    ['src/ops/app.ts', `const { createBot } = await import('../bot/app.ts');`, 'src/bot/app.ts'],
    ['src/ops/app.ts', `import mysql from 'mysql2/promise';`, 'mysql2'],
    ['src/ops/app.ts', `import { readConfig } from '../config.ts';`, 'src/config.ts'],
    ['src/server/log.ts', `import {\n  a,\n  b,\n} from '../contract/index.ts';`, 'src/contract/index.ts'],
    ['src/menu/tree/load.ts', `import { jump } from '../turn/jump.ts';`, 'src/menu/turn/jump.ts'],
    [
      'src/channels/qq/a.ts',
      `import { a } from '../wecom-callback/query.ts';`,
      'src/channels/wecom-callback/query.ts',
    ],
    ['src/channels/qq/a.ts', `import type { Tree } from '../../menu/index.ts';`, 'type src/menu/index.ts'],
    ['src/chat/chat.ts', `import { a } from '../wecom/userid.ts';`, 'src/wecom/userid.ts'],
    ['src/push/http/route.ts', `import { media } from '../media/media.ts';`, 'src/push/media/media.ts'],
    [
      'src/push/media/media.ts',
      `import { createWebhooks } from '../webhooks/webhooks.ts';`,
      'src/push/webhooks/webhooks.ts',
    ],
    ['src/push/media/media.ts', `import type { Push } from '../app.ts';`, 'type src/push/app.ts'],
    ['src/push/media/media.ts', `import { a } from '../new/a.ts';`, 'src/push/new/a.ts'],
  ] as const;
  test.each(cases)('%s: %s', (path, text, target) => {
    expect(wrongArrows({ path, text })).toEqual([`${path} → ${target}`]);
  });

  test('and a folder that the table does not know is one', () => {
    expect(wrongArrows({ path: 'src/utils/a.ts', text: '' })).toHaveLength(1);
  });
});

test('an import in a comment is none', () => {
  const text = `/** like import { a } from 'zod' */\n// import { a } from 'zod';\nimport 'node:fs';\n`;
  expect(readImports({ path: 'src/bot/a.ts', text })).toEqual([{ target: 'node:fs', isType: false }]);
});
