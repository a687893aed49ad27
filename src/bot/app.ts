import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type FastifyInstance, fastify } from 'fastify';
import type { Registry } from 'prom-client';
import {
  type Chat,
  createChat,
  createMenus,
  createRedis,
  createSessionStore,
  type Incoming,
  type Menus,
  type Redis,
} from '../chat/index.ts';
import type { BotConfig } from '../config.ts';
import { contract, isOperation } from '../contract/index.ts';
import type { Log } from '../server/log.ts';
import { createBotMetrics } from '../server/metrics.ts';
import { createWeComApi, type WeComApi } from '../wecom/api.ts';
import { createCipher } from '../wecom/crypto.ts';
import { addCallback } from './callback.ts';
import { openCallbackSources } from './callback-sources.ts';
import { readIncoming } from './incoming.ts';
import { openContext } from './open-context.ts';
import { startOutcomes } from './outcomes.ts';
import { type Caller, createPlatformClient } from './platform-client.ts';
import { createRecent } from './recent.ts';
import { askRights } from './rights.ts';
import { createTokenStore } from './wecom-token-store.ts';

/** A running interface platform. */
export interface Bot {
  readonly app: FastifyInstance;
  /** What must answer before callbacks make sense. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
  reloadMenus(): Promise<void>;
  /** Takes no more callbacks, finishes those in flight and what is delivered late, and lets go of Redis. */
  close(): Promise<void>;
}

export interface BotParts {
  readonly config: BotConfig;
  readonly log: Log;
  readonly registry: Registry;
}

const RIGHTS_MS = 30_000;
const DEPARTMENTS_MS = 300_000;
const DAY_MS = 86_400_000;
