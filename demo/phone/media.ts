import type { FastifyInstance } from 'fastify';
import { isPicture } from '../wecom/media-upload.ts';
import { MEDIA_PATH } from '../wecom/message-content.ts';
import type { Uploads } from '../wecom/uploads.ts';

/**
 * Adds what was uploaded, by media_id: pictures to look at, everything else to save only. Whoever uploads is a system
 * that Keypad serves, and nothing of theirs may run as this page.
 */
export async function addMedia(http: FastifyInstance, uploads: Uploads): Promise<void> {
  http.get<{ Params: { mediaId: string } }>(`${MEDIA_PATH}:mediaId`, (request, reply) => {
    const upload = uploads.get(request.params.mediaId);
    if (upload === undefined) return reply.code(404).send({ error: 'This file is not kept any more.' });
    reply
      .header('x-content-type-options', 'nosniff')
      .header('content-security-policy', "default-src 'none'; sandbox");
    if (upload.type === 'image' && isPicture(upload.bytes)) {
      return reply.type(upload.bytes[0] === 0x89 ? 'image/png' : 'image/jpeg').send(upload.bytes);
    }
    const name = encodeURIComponent(upload.name);
    return reply
      .header('content-disposition', `attachment; filename*=UTF-8''${name}`)
      .type('application/octet-stream')
      .send(upload.bytes);
  });
}
