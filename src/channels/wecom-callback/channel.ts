import { DEFAULT_ACCOUNT, WECOM_CALLBACK } from '../../contract/principal.ts';
import type { Channel } from '../channel.ts';

/** Which app it is, and what sends for it. */
interface WeComChannelParts extends Pick<Channel, 'account' | 'tellLate' | 'tell' | 'departments'> {
  readonly agentId: number;
}

/** The callback of a self-built app. */
export function createWeComChannel({ agentId, ...parts }: WeComChannelParts): Channel {
  const { account } = parts;
  return {
    ...parts,
    name: WECOM_CALLBACK,
    // The sessions of the app of the variables have stood under its agent id since there was only one app.
    scope: account === DEFAULT_ACCOUNT ? `${agentId}` : `${WECOM_CALLBACK}/${account}`,
    // WeCom cuts what is longer, silently (protocol §3.2).
    replyBytes: 2048,
    // Message delivery sends what is longer than a reply in parts (docs/push.md).
    lateBytes: 20_480,
    // WeCom waits 5 s and then delivers again (protocol §2.5).
    replyMs: 4000,
    freshMs: 120_000,
  };
}
