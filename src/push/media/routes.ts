import * as z from 'zod';
import { Refusal, type Route, route } from '../http/route.ts';
import type { Media } from './media.ts';
import { MAX_BYTES } from './media-type.ts';

const query = z.strictObject({
  kind: z.enum(['image', 'file']),
  name: z.string().max(128).default(''),
});

/** POST /v1/media: raw bytes, uploaded once and then sent by their SHA-256. */
export function mediaRoutes({ media }: { readonly media: Media }): readonly Route[] {
  return [
    route('POST /media', {
      summary: 'Keeps a picture or file, given as raw bytes, for four days; send it by its sha256.',
      query,
      accepts: { 'application/octet-stream': z.file() },
      bodyLimit: MAX_BYTES.file,
      answers: {
        200: z.object({ sha256: z.string(), name: z.string() }),
        400: 'WeCom does not take this type or size, or a file has no name.',
        403: 'The app may not send this kind.',
      },
      async reply({ caller, query: { kind, name }, raw }) {
        if (!caller.scopes.allowsKind(kind))
          throw new Refusal(403, `this app may not send ${kind}s; ask for the scope ${kind}`);
        return media.of(caller.app).save(kind, name, raw as Buffer);
      },
    }),
  ];
}
