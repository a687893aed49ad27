import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { previewOf, type TestBot, web } from './bot.ts';

/** Somebody scales a deployment, whose outcome the reply tells; a repeat of the confirmation gets the same. */
export async function operate({ wecom, platform }: TestBot, user: string): Promise<void> {
  const id = randomUUID();
  platform.script = ({ operation }) => {
    if (operation === 'k8s.deployments.list') return { state: 'done', output: [web] };
    if (operation === 'k8s.scale/preview') return previewOf(id);
    return operation === 'k8s.scale' ? { state: 'done', text: 'web：2 → 3，3 个就绪' } : undefined;
  };
  const msgId = `${Date.now()}`;
  expect((await wecom.say(user, 'hi')).reply).toContain('请选择事业部');
  await wecom.say(user, '1-1-2-1-3');
  for (let delivery = 0; delivery < 2; delivery += 1) {
    expect((await wecom.say(user, '1', { msgId })).reply).toContain('web：2 → 3，3 个就绪');
  }
  expect((await wecom.say(user, '#')).reply).toContain('已退出');
}

/** What deploy/README.md writes behind the name of an account, with a password. */
export function rightsOf(name: string): readonly string[] {
  const words = new RegExp(`ACL SETUSER ${name} (.+)$`, 'm').exec(
    readFileSync('deploy/README.md', 'utf8'),
  )?.[1];
  return (words ?? '').replace('<password>', 'word').split(' ');
}

/** What it gives besides on a cluster. */
export function clusterRights(): readonly string[] {
  const words = /On a cluster it needs `(.+?)` besides/.exec(readFileSync('deploy/README.md', 'utf8'))?.[1];
  return (words ?? '').split(' ');
}
