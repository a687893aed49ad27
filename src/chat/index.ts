export { type Chat, type ChatParts, createChat, type Incoming } from './chat.ts';
export { createRedis, type Redis } from './redis.ts';
export { sentences } from './sentences.ts';
export { createSessionStore, type SessionStore, type Speaker } from './session-store.ts';
