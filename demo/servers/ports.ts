import { createServer } from 'node:net';
import { InputError } from '../../src/errors.ts';

/** Where everything of the demo listens, on loopback. */
export interface DemoPorts {
  readonly bot: number;
  readonly ops: number;
  readonly cluster: number;
  readonly phone: number;
  readonly redis: number;
  readonly mariadb: number;
  readonly botInternal: number;
  readonly opsInternal: number;
  readonly push: number;
  readonly pushInternal: number;
  /** The HTTP service of a team. */
  readonly caches: number;
}

/** The ports that follow from the first one, 8080 unless DEMO_PORT says otherwise. Throws `InputError`. */
export function readPorts(demoPort: string | undefined): DemoPorts {
  const first = Number(demoPort ?? 8080);
  if (!Number.isInteger(first) || first < 1024 || first > 64_000) {
    throw new InputError('DEMO_PORT must be a port from 1024 to 64000, for example DEMO_PORT=9000.');
  }
  return {
    bot: first,
    ops: first + 1,
    cluster: first + 2,
    phone: first + 10,
    redis: first + 11,
    mariadb: first + 12,
    botInternal: first + 1000,
    opsInternal: first + 1001,
    push: first + 3,
    pushInternal: first + 1003,
    caches: first + 4,
  };
}

/** Throws `InputError` that names every port somebody already listens on. */
export async function checkPorts(ports: DemoPorts): Promise<void> {
  const entries = Object.entries(ports);
  const free = await Promise.all(entries.map(([, port]) => isFree(port)));
  const taken = entries.filter((_, i) => !free[i]).map(([name, port]) => `${port} (${name})`);
  if (taken.length === 0) return;
  throw new InputError(
    `Port ${taken.join(', ')} is taken: stop what listens there (an earlier demo?), or choose others with DEMO_PORT=9000 npm run demo.`,
  );
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
