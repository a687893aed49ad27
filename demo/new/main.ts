import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { newEntry } from './entry.ts';
import { newOperation } from './operation.ts';
import { write } from './written.ts';

const USAGE = `write what is to be made:
  npm run new -- operation app.cache.flush [--kind change|read|sql|http|command|job]
  npm run new -- entry 1-kubernetes/5-unready [--runs k8s.pods.list]`;

/** `npm run new` writes an operation or an entry that works as it is, with its test, and says what is next. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { kind: { type: 'string' }, runs: { type: 'string' } },
    allowPositionals: true,
  });
  const [what, name, ...more] = positionals;
  const isOperation = what === 'operation' && values.runs === undefined;
  const isEntry = what === 'entry' && values.kind === undefined;
  if (name === undefined || more.length > 0 || !(isOperation || isEntry)) throw new Error(USAGE);
  const written = isOperation
    ? await newOperation('.', name, values.kind ?? 'change')
    : await newEntry('.', name, values.runs);
  write('.', written);
  const paths = written.files.map(({ path }) => path);
  spawnSync('biome', ['check', '--write', ...paths]);
  console.log([...paths, '', ...written.next.map((step, index) => `${index + 1}. ${step}`)].join('\n'));
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
