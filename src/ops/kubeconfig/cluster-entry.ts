import { X509Certificate } from 'node:crypto';
import * as z from 'zod';
import { InputError } from '../../errors.ts';
import { readUrl } from '../../server/address.ts';
import { type Entry, flag, optional, pemIn, readFields } from './fields.ts';

/** Where a cluster is, and how to know that it is the right one. */
export interface ClusterEntry {
  /** Its address without a slash at the end; it may have a path. */
  readonly server: string;
  readonly proxyUrl: string | undefined;
  /** As Node's TLS takes them; what is undefined is left to Node. */
  readonly tls: {
    readonly ca: string | undefined;
    readonly servername: string | undefined;
    readonly rejectUnauthorized: boolean;
  };
  /** What a plug-in is told about it when it asks to be. */
  readonly info: Readonly<Record<string, unknown>>;
}

const text = optional(z.string());
const extension = z.looseObject({ name: z.string() });
const form = z.strictObject({
  server: z.string(),
  'tls-server-name': text,
  'insecure-skip-tls-verify': optional(flag),
  'certificate-authority': text,
  'certificate-authority-data': text,
  'proxy-url': text,
  // Nothing is ever compressed.
  'disable-compression': optional(flag),
  extensions: optional(z.array(extension)),
});
/** Under this name stands what a cluster says to plug-ins alone. */
const FOR_PLUGINS = 'client.authentication.k8s.io/exec';
const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** Reads an entry of `clusters`. Throws an InputError that names the fields that are wrong. */
export async function readClusterEntry(entry: Entry): Promise<ClusterEntry> {
  const fields = readFields(form, entry.value);
  const isInsecure = fields['insecure-skip-tls-verify'] ?? false;
  const ca = await pemIn(entry, 'certificate-authority', {
    data: fields['certificate-authority-data'],
    path: fields['certificate-authority'],
  });
  if (ca !== undefined) checkAuthority(ca);
  if (isInsecure && ca !== undefined) {
    throw new InputError('insecure-skip-tls-verify: excludes a certificate-authority; take one of them out');
  }
  const server = serverOf(fields.server);
  const servername = fields['tls-server-name'];
  const proxyUrl = fields['proxy-url'];
  if (proxyUrl !== undefined) addressIn('proxy-url', proxyUrl);
  const forPlugins = fields.extensions?.find(({ name }) => name === FOR_PLUGINS);
  return {
    server,
    proxyUrl,
    tls: { ca, servername, rejectUnauthorized: !isInsecure },
    info: {
      server,
      ...(servername !== undefined && { 'tls-server-name': servername }),
      ...(isInsecure && { 'insecure-skip-tls-verify': true }),
      ...(ca !== undefined && { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
      ...(proxyUrl !== undefined && { 'proxy-url': proxyUrl }),
      config: forPlugins?.extension ?? null,
    },
  };
}

function serverOf(address: string): string {
  const url = addressIn('server', address);
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname)) {
    throw new InputError('server: must be https: plain http is for loopback only');
  }
  if (url.username || url.password || url.search) {
    throw new InputError('server: must be an address without a login or a query');
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function addressIn(field: string, text: string): URL {
  try {
    return readUrl(text, ['https:', 'http:']);
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${field}: ${error.message}`) : error;
  }
}

/** TLS would silently leave out what is no certificate, and then trust nothing. */
function checkAuthority(ca: string): void {
  try {
    new X509Certificate(ca);
  } catch {
    throw new InputError('certificate-authority: holds no certificate');
  }
}
