/** The server APIs that are played here, as their paths under `/cgi-bin/` (protocol §4). */
export const apiNames = ['gettoken', 'message/send', 'getcallbackip', 'user/get'] as const;
export type ApiName = (typeof apiNames)[number];
