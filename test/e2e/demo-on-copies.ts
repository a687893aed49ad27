import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestDemo, type TestDemo } from '../helpers/demo.ts';

/** A demo whose menus and operations a test may write into. */
export interface DemoOnCopies extends TestDemo {
  /** Writes a file; the path begins with `menus/` or `operations/`. */
  write(path: string, text: string): void;
}

/** Starts a demo on copies of its folders; with `policy` that file is a copy too, `policy.yaml`. */
export async function startDemoOnCopies({ policy = false } = {}): Promise<DemoOnCopies> {
  const directory = mkdtempSync(join(tmpdir(), 'keypad-copies-'));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  // Whoever the scripts of operations run as has to reach them.
  chmodSync(directory, 0o755);
  for (const name of ['menus', 'operations']) cpSync(name, join(directory, name), { recursive: true });
  cpSync('deploy/policy.yaml', join(directory, 'policy.yaml'));
  const demo = await startTestDemo({
    settings: {
      MENUS_DIR: join(directory, 'menus'),
      OPERATIONS_DIR: join(directory, 'operations'),
      ...(policy && { OPS_POLICY_FILE: join(directory, 'policy.yaml') }),
    },
  }).catch((error: unknown) => {
    remove();
    throw error;
  });
  return {
    ...demo,
    write: (path, text) => writeFileSync(join(directory, path), text),
    async stop() {
      await demo.stop();
      remove();
    },
  };
}
