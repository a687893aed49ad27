import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { Operations } from '../chat/index.ts';
import type { CatalogueEntry } from '../contract/catalogue.ts';
import { createLoop } from '../server/loop.ts';
import type { OpsClient } from './ops-client.ts';

interface CatalogueParts {
  readonly client: Pick<OpsClient, 'catalogue'>;
  /** How often the platform is asked; ms. */
  readonly everyMs?: number;
  /** The platform has other operations than before; what it throws goes to `onError`. */
  onChange(): Promise<void>;
  /** Unix ms. */
  now(): number;
  /** The platform has not answered for a while. */
  onError(error: unknown): void;
  /** The platform is of a version that does not say what it can do; told once, until it does. */
  onOlder(): void;
}

/** For so long what the platform said last counts while it says nothing; ms. */
const FRESH_MS = 5000;

interface Known {
  readonly generation: string;
  readonly operations: ReadonlyMap<string, CatalogueEntry>;
  readonly outputs: ReadonlyMap<string, z.ZodType>;
}

/** For so long a bot that starts waits for the platform; ms. */
const FIRST_MS = 1500;
const FIRST_AGAIN_MS = 100;

/**
 * Replicas of the platform may have different files, and answer by turns: one that was known before counts again when the
 * present one was not heard of for so long; ms. Entries would come and go with each question.
 */
const STEADY_MS = 5000;
const MOST_EARLIER = 10;

/** For so long nobody is told that the platform does not answer; ms. */
const QUIET_MS = 15_000;

/** What the platform can do, as this replica knows it. */
export type BotCatalogue = ReturnType<typeof createCatalogue>;

/**
 * Makes what asks the platform for its catalogue: once a second, so that a new operation and a changed policy are seen
 * without a restart. A platform of an earlier version has none: then nothing is known of its operations.
 */
export function createCatalogue({ client, everyMs = 1000, onChange, now, ...told }: CatalogueParts) {
  let known: Known | undefined;
  let rights: { readonly basis: string; readonly at: number } | undefined;
  let isOlder = false;
  /** Generations that were known before, and when the one that is known now was last answered. */
  const earlier = new Set<string>();
  let answeredAt = now();
  const look = async (): Promise<void> => {
    const found = await client.catalogue(known?.generation);
    if (found === undefined && !isOlder) told.onOlder();
    isOlder = found === undefined;
    rights = { basis: found === undefined ? '' : `${found.policy}/${found.generation}`, at: now() };
    if (found === undefined) return;
    if (found.operations === undefined) {
      answeredAt = now();
      return;
    }
    if (earlier.has(found.generation) && now() - answeredAt < STEADY_MS) return;
    if (known !== undefined) earlier.add(known.generation);
    earlier.delete(found.generation);
    for (const each of [...earlier].slice(0, -MOST_EARLIER)) earlier.delete(each);
    answeredAt = now();
    const operations = new Map(found.operations.map((each) => [each.name, each]));
    const outputs = new Map(found.operations.map((each) => [each.name, formOf(each.output ?? {})]));
    known = { generation: found.generation, operations, outputs };
    await onChange();
  };
  let heardAt = now();
  const loop = createLoop({
    // While nothing is known, entries that the platform completes are missing.
    restMs: () => (rights === undefined ? Math.min(everyMs, FIRST_AGAIN_MS) : everyMs),
    work: async () => {
      await look();
      heardAt = now();
    },
    // A platform that starts, or is updated, is away for a moment: that is nothing to tell.
    onError: (error) => (now() - heardAt > QUIET_MS ? told.onError(error) : undefined),
  });
  return {
    /**
     * Begins to ask, and answers when it is known what there is, or after a moment without: menus are put together with it,
     * and a session that began before a restart goes on.
     */
    async start(): Promise<void> {
      for (const until = now() + FIRST_MS; rights === undefined && now() < until; ) {
        await look().catch(() => sleep(FIRST_AGAIN_MS));
      }
      loop.start();
    },
    /** Undefined while nothing is known. */
    operations(): Operations {
      const { generation, operations } = known ?? {};
      return generation === undefined ? undefined : { generation, find: (name) => operations?.get(name) };
    },
    /** The form of what a read answers; undefined while it is not known. */
    outputOf: (name: string): z.ZodType | undefined => known?.outputs.get(name),
    /**
     * Names what rights stand on, as the platform said within the last seconds; undefined when it has not, and what it
     * answered about rights before may be over.
     */
    rightsBasis: (): string | undefined =>
      rights !== undefined && now() - rights.at < FRESH_MS ? rights.basis : undefined,
    stop: (): Promise<void> => loop.stop(),
  };
}

/**
 * The form that a schema describes; anything where zod does not understand it. A platform that was updated since may
 * answer more than it has.
 */
function formOf(schema: CatalogueEntry['input']): z.ZodType {
  const lenient = JSON.stringify(schema, (key, value: unknown) =>
    key === 'additionalProperties' && value === false ? undefined : value,
  );
  try {
    return z.fromJSONSchema(JSON.parse(lenient));
  } catch {
    return z.unknown();
  }
}
