import { ApiError } from './api-error.ts';
import { cut, type Sender } from './message-content.ts';
import type { Uploads } from './uploads.ts';

/** What may be sent to group chats, and to members beside cards and what leads to mini programs (protocol §4.2, §4.5). */
const toChats = 'text image voice video file textcard news mpnews markdown'.split(' ');
const toMembers = [...toChats, 'miniprogram_notice', 'template_card', 'taskcard'];
const byRobots = 'text markdown markdown_v2 image news file voice template_card'.split(' ');

const APP_MARKDOWN = 2048;
const ROBOT_MARKDOWN = 4096;

/** The app, sending to members. Its markdown is cut like a text. */
export function memberSender(uploads: Uploads): Sender {
  const markdown = (content: string) => cut(content, APP_MARKDOWN);
  return { types: new Set(toMembers), uploads, owner: null, markdown };
}

/** The app, sending to its group chats. */
export function chatSender(uploads: Uploads): Sender {
  return { ...memberSender(uploads), types: new Set(toChats) };
}

/** A robot, which has uploads of its own. Its markdown is refused when it is too long (protocol §5). */
export function robotSender(uploads: Uploads, robot: string): Sender {
  const markdown = (content: string) => {
    if (Buffer.byteLength(content) <= ROBOT_MARKDOWN) return { text: content };
    throw new ApiError(40058, `markdown.content exceed max length ${ROBOT_MARKDOWN}`);
  };
  return { types: new Set(byRobots), uploads, owner: robot, markdown };
}
