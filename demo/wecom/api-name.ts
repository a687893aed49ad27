/** The server APIs that are played here, as their paths under `/cgi-bin/` (protocol §4, §5). */
export const apiNames = [
  'gettoken',
  'message/send',
  'message/recall',
  'appchat/send',
  'media/upload',
  'webhook/send',
  'webhook/upload_media',
  'getcallbackip',
  'user/get',
] as const;
export type ApiName = (typeof apiNames)[number];
