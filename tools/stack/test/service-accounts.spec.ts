import { parse } from 'yaml';
import { kubeconfigWith } from '../cluster/service-accounts.ts';

const given = (cluster: object): string =>
  JSON.stringify({
    'current-context': 'b',
    contexts: [
      { name: 'a', context: { cluster: 'other', user: 'admin' } },
      { name: 'b', context: { cluster: 'mine', user: 'admin' } },
    ],
    clusters: [
      { name: 'other', cluster: { server: 'https://other:6443' } },
      { name: 'mine', cluster },
    ],
    users: [{ name: 'admin', user: { 'client-key-data': 'secret' } }],
  });

test('a kubeconfig for a service has the cluster of the current context, its own token, and nothing of the user’s', () => {
  const text = kubeconfigWith(given({ server: 'https://mine:6443', 'tls-server-name': 'mine' }), 'its-token', '/etc');
  const made = parse(text) as { clusters: { cluster: object }[]; users: object[] };
  expect(made.clusters.map(({ cluster }) => cluster)).toEqual([
    { server: 'https://mine:6443', 'tls-server-name': 'mine' },
  ]);
  expect(made.users).toEqual([{ name: 'service', user: { token: 'its-token' } }]);
  expect(text).not.toContain('secret');
});

test('a certificate file is still found from another folder', () => {
  const text = kubeconfigWith(
    given({ server: 'https://mine', 'certificate-authority': 'ca.pem' }),
    't',
    '/home/me/.kube',
  );
  expect(parse(text)).toMatchObject({ clusters: [{ cluster: { 'certificate-authority': '/home/me/.kube/ca.pem' } }] });
});
