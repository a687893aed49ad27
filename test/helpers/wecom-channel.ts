import { createWeComChannel } from '../../src/channels/wecom-callback/channel.ts';

/** The channel of one app; what it is to send after a reply goes nowhere. */
export const wecomChannel = createWeComChannel({
  account: 'default',
  agentId: 1_000_002,
  tellLate: async () => {},
  tell: async () => {},
  departments: async () => [],
});
