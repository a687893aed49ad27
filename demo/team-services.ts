import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DemoPorts, readPorts } from './servers/ports.ts';

interface TeamServiceParts {
  /** Of the demo: the token's file and, where it has to be another one, the policy are written there. */
  readonly directory: string;
  readonly ports: Pick<DemoPorts, 'caches'>;
  readonly token: string;
  /** The policy of the repository. */
  readonly policyFile: string;
}

/**
 * What ops needs to reach the services of the demo's teams: a file with their token, and the policy. That names them with
 * the usual port, so that a demo on other ports has a copy.
 */
export function forTeamServices({ directory, ports, token, policyFile }: TeamServiceParts) {
  const cacheTokenFile = join(directory, 'cache-token');
  writeFileSync(cacheTokenFile, `${token}\n`, { mode: 0o600 });
  const usual = readPorts(undefined).caches;
  if (ports.caches === usual) return { cacheTokenFile, policyFile };
  const copy = join(directory, 'policy.yaml');
  const text = readFileSync(policyFile, 'utf8').replaceAll(`:${usual}`, `:${ports.caches}`);
  writeFileSync(
    copy,
    `# A copy of deploy/policy.yaml for the ports of this demo, which reads this one.\n${text}`,
  );
  return { cacheTokenFile, policyFile: copy };
}
