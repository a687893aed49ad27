export type { Preview } from '../menu/tree/context.ts';
export { type Context, type Outcome, Unavailable } from '../menu/tree/context.ts';
export { createMenus, type Menus } from '../menu/tree/generations.ts';
export { type Chat, createChat } from './chat.ts';
export type { ChatParts } from './chat-parts.ts';
export { sentences } from './sentences.ts';
export { createSessionStore, type SessionStore, type Speaker } from './session-store.ts';
