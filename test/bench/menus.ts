import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Entries of one menu: what a thumb can choose from, however large the whole is. */
const FAN_OUT = 10;

/** Writes a menu folder with `nodes` entries, ten in each menu, as deep as that takes. The caller removes it. */
export function writeMenus(nodes: number): string {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-bench-menus-'));
  const write = (path: string, text: string) => writeFileSync(join(directory, path), text);
  write(
    'index.ts',
    `import { choice, folder } from '#menu';
export default folder({ title: '请选择事业部', ask: { unit: choice('请选择事业部', ({ ops }) => ops.call('units.list', {})) } });
`,
  );
  const fill = (folder: string, below: number): void => {
    for (let n = 1; n <= FAN_OUT; n += 1) {
      if (below <= FAN_OUT) {
        const options = `{ title: '条目 ${n}', needs: 'k8s.deployments.list', run: () => '好' }`;
        write(
          join(folder, `${n}-entry.ts`),
          `import { action } from '#menu';\nexport default action(${options});\n`,
        );
        continue;
      }
      const child = join(folder, `${n}-folder`);
      mkdirSync(join(directory, child));
      write(
        join(child, 'index.ts'),
        `import { folder } from '#menu';\nexport default folder({ title: '菜单 ${n}' });\n`,
      );
      fill(child, below / FAN_OUT);
    }
  };
  fill('', nodes);
  return directory;
}
