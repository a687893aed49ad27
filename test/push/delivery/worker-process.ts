import { WeComError } from '../../../src/wecom/wecom-error.ts';
import { openOffice } from './office.ts';

/**
 * A replica as a process of its own, to be killed. `node worker-process.ts MYSQL_URL REDIS_URL WECOM_URL`; its WeCom is
 * a server of the test, which takes down who was sent what.
 */
const [mysqlUrl = '', redisUrl = '', weComUrl = ''] = process.argv.slice(2);
const refuse = async (): Promise<never> => {
  throw new Error('the test sends texts only');
};
const office = openOffice({
  mysqlUrl,
  redisUrl,
  limits: 'real',
  messenger: {
    async send({ body }, { users = [] }, { onceWithinSeconds } = {}) {
      const call = { user: users[0], text: body.content, isRepeat: onceWithinSeconds !== undefined };
      const response = await fetch(weComUrl, { method: 'POST', body: JSON.stringify(call) }).catch(
        () => null,
      );
      if (response === null) throw new WeComError('message/send', 'lost', 'the server of the test is gone');
      return {
        msgid: await response.text(),
        invalid: { users: [], parties: [], tags: [] },
        unlicensed: [],
      };
    },
    sendToChat: refuse,
    sendToRobot: refuse,
    recall: refuse,
    upload: refuse,
    uploadForRobot: refuse,
  },
});
office.start();
process.on('SIGTERM', () => void office.close().then(() => process.exit(0)));
