import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Writes a menu folder with `nodes` entries: units above, folders of 100 entries below. The caller removes it. */
export function writeMenus(nodes: number): string {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-bench-menus-'));
  const write = (path: string, text: string) => writeFileSync(join(directory, path), text);
  write(
    'index.ts',
    `import { choice, folder } from '#menu';
export default folder({ title: '请选择事业部', ask: { unit: choice('请选择事业部', ({ ops }) => ops.call('units.list', {})) } });
`,
  );
  const folders = Math.max(1, Math.floor(nodes / 100));
  for (let f = 1; f <= folders; f += 1) {
    mkdirSync(join(directory, `${f}-folder`));
    write(
      `${f}-folder/index.ts`,
      `import { folder } from '#menu';\nexport default folder({ title: '菜单 ${f}' });\n`,
    );
    for (let e = 1; e < Math.min(nodes, 100); e += 1) {
      const entry = `import { action } from '#menu';\nexport default action({ title: '条目 ${e}', needs: 'k8s.deployments.list', run: () => '好' });\n`;
      write(`${f}-folder/${e}-entry.ts`, entry);
    }
  }
  return directory;
}
