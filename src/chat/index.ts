export { type Context, type Outcome, Unavailable } from '../menu/context.ts';
export type { Preview } from '../menu/session.ts';
export { type Chat, createChat } from './chat.ts';
export type { ChatParts, Incoming } from './chat-parts.ts';
export { createMenus, type Menus } from './menus.ts';
export { sentences } from './sentences.ts';
export { createSessionStore, type SessionStore, type Speaker } from './session-store.ts';
