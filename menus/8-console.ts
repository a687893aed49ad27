import { action } from '#menu';
import root from './index.ts';

export default action(root, {
  title: '控制台',
  needs: 'push.console',
  run: async ({ ops }, { unit }) => {
    const { url, minutes } = await ops.call('push.console', { unit });
    return `消息投递的队列视图：\n${url}\n\n链接只属于你，${minutes} 分钟内有效，只能打开一次。请勿转发。`;
  },
});
