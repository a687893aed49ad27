import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';

const types = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const;

const files = [
  'page.html',
  'frame.css',
  'member-switch.css',
  'chat.css',
  'view.css',
  'keys.css',
  'page.js',
  'wire.js',
  'bubble.js',
  'element.js',
  'view.js',
  'markdown.js',
  'link.js',
  'chat-log.js',
  'composer.js',
  'member-switch.js',
  'icon.svg',
] as const;

/** Adds the phone page and the files it is made of; they are read once, here, and load nothing from elsewhere. */
export async function addPageFiles(http: FastifyInstance): Promise<void> {
  for (const file of files) {
    const body = readFileSync(new URL(`page/${file}`, import.meta.url));
    const type = types[file.slice(file.lastIndexOf('.') + 1) as keyof typeof types];
    http.get(file === 'page.html' ? '/' : `/${file}`, (_request, reply) =>
      reply
        .header('content-security-policy', "default-src 'self'; frame-ancestors 'none'")
        .header('x-content-type-options', 'nosniff')
        .header('cache-control', 'no-cache')
        .type(type)
        .send(body),
    );
  }
}
