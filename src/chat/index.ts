export type { Operations } from '../menu/tree/complete.ts';
export { type Context, type Outcome, Unavailable } from '../menu/tree/context.ts';
export { createMenus, type Menus } from '../menu/tree/generations.ts';
export { createChat } from './chat.ts';
export { type ChatParts, NOTE_MS, type OwedAnswers } from './chat-parts.ts';
export { lateText } from './late-text.ts';
export { sentences } from './sentences.ts';
export { createSessionStore, type SessionStore } from './session-store.ts';
