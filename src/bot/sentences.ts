/** What the bot itself says, beside the engine's screens and the platform's outcomes. */
export const sentences = {
  platformDown: '运维平台暂时连不上，没有执行任何操作，请稍后再试。',
  noRights: '你还没有任何运维权限，请联系运维负责人开通。',
  departmentsUnknown: '暂时查不到你在企业微信里的部门，因此不知道你的权限，请稍后再试。',
  notNoted: '会话服务暂时不可用，没有执行任何操作，请稍后再试。',
  outcomeOpen: '与运维平台的连接中断，结果未知。查清后会马上告诉你，请不要重复操作。',
  odd: '运维平台的回答看不懂，没有执行任何操作。',
} as const;
