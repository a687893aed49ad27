import { parseArgs } from 'node:util';
import { opsSettings, readSettings } from '../../config.ts';
import { openDatabase } from '../database.ts';
import { verifyAudit } from './audit.ts';
import type { ChainLink } from './chain.ts';

/**
 * `npm run audit:verify [-- --at <seq>:<mac>]`: says whether every row of the audit is there and as it was written, and
 * whether the chain still contains that link. `--expect` is the older name of `--at`.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { at: { type: 'string' }, expect: { type: 'string' } } });
  const link = values.at ?? values.expect;
  const expected = link === undefined ? undefined : readLink(link);
  const { mysqlUrl, auditKey } = opsSettings;
  const settings = readSettings({ mysqlUrl, auditKey }, process.env);
  const db = openDatabase(settings.mysqlUrl.reveal());
  try {
    const { last, problems } = await verifyAudit(db, settings.auditKey.reveal(), expected);
    if (problems.length === 0) {
      console.log(`${last.seq} rows, none changed or removed.`);
      console.log(`Keep this elsewhere, and give it next time as --at ${last.seq}:${last.mac}`);
      return;
    }
    for (const problem of problems) console.error(problem);
    process.exitCode = 1;
  } finally {
    await db.destroy();
  }
}

function readLink(text: string): ChainLink {
  const [, seq, mac] = /^(\d+):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq === undefined || mac === undefined) {
    throw new Error('--at wants what an earlier run printed or the log of ops has as "link", <seq>:<mac>');
  }
  return { seq: Number(seq), mac };
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
