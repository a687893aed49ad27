import { stringify } from 'yaml';

/** A kubeconfig as YAML whose only context, `demo`, is the current one. */
export function kubeconfigFor(server: {
  readonly url: string;
  readonly cert: string;
  readonly token: string;
}): string {
  const { url, cert, token } = server;
  const authority = Buffer.from(cert).toString('base64');
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'demo', cluster: { server: url, 'certificate-authority-data': authority } }],
    users: [{ name: 'demo', user: { token } }],
    contexts: [{ name: 'demo', context: { cluster: 'demo', user: 'demo' } }],
    'current-context': 'demo',
  });
}
