import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { accessFromEnvironment, accessFromKubeconfig, accessFromServiceAccount } from './kubeconfig.ts';

const folder = mkdtempSync(join(tmpdir(), 'keelson-kubeconfig-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const write = (text: string, name = `config-${++files}`): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

const config = (parts: { cluster?: string; user?: string; context?: string; current?: string } = {}): string => `
apiVersion: v1
kind: Config
current-context: ${parts.current ?? 'main'}
contexts: [{ name: main, context: ${parts.context ?? '{ cluster: c, user: u, namespace: shop }'} }]
clusters: [{ name: c, cluster: ${parts.cluster ?? '{ server: "https://10.0.0.1:6443/" }'} }]
users: [{ name: u, user: ${parts.user ?? '{}'} }]
`;

const authorization = (path: string): Promise<string | undefined> =>
  accessFromKubeconfig(path).credentials.authorization();

test('server, namespace and TLS material come from the current context', () => {
  const path = write(
    config({
      cluster: `{ server: "https://10.0.0.1:6443/", certificate-authority-data: ${Buffer.from('CA').toString('base64')}, tls-server-name: api }`,
      user: `{ client-certificate: pki/u.crt, client-key-data: ${Buffer.from('KEY').toString('base64')} }`,
    }),
  );
  mkdirSync(join(folder, 'pki'));
  write('CERT', 'pki/u.crt');
  const access = accessFromKubeconfig(path);
  expect(access.server).toBe('https://10.0.0.1:6443');
  expect(access.namespace).toBe('shop');
  expect(access.tls()).toEqual({
    ca: Buffer.from('CA'),
    cert: Buffer.from('CERT'),
    key: Buffer.from('KEY'),
    servername: 'api',
  });
  write('RENEWED', 'pki/u.crt');
  expect(access.tls().cert).toEqual(Buffer.from('RENEWED'));
});

test('without a namespace it is default, and insecure-skip-tls-verify is taken only when it is there', () => {
  const access = accessFromKubeconfig(write(config({ context: '{ cluster: c }' })));
  expect(access.namespace).toBe('default');
  expect(access.tls()).toEqual({});
  const careless = write(config({ cluster: '{ server: "https://a", insecure-skip-tls-verify: true }' }));
  expect(accessFromKubeconfig(careless).tls()).toEqual({ rejectUnauthorized: false });
});

test.each([
  { user: '{ token: abc }', header: 'Bearer abc' },
  { user: '{ username: u, password: "p:w" }', header: `Basic ${Buffer.from('u:p:w').toString('base64')}` },
  { user: '{ tokenFile: token.txt, token: older }', header: 'Bearer from-file' },
  { user: '{}', header: undefined },
])('user $user is sent as $header', async ({ user, header }) => {
  write('from-file\n', 'token.txt');
  expect(await authorization(write(config({ user })))).toBe(header);
});

test.each([
  { name: 'an unknown context', text: config({ current: 'other' }), said: 'has no context "other"' },
  { name: 'no current context', text: config({ current: '""' }), said: 'has no current-context' },
  { name: 'an unknown cluster', text: config({ context: '{ cluster: x, user: u }' }), said: 'has no cluster "x"' },
  { name: 'an unknown user', text: config({ context: '{ cluster: c, user: x }' }), said: 'has no user "x"' },
  {
    name: 'a server that is no URL',
    text: config({ cluster: '{ server: 10.0.0.1 }' }),
    said: 'cluster "c" has server "10.0.0.1"',
  },
  {
    name: 'an auth-provider',
    text: config({ user: '{ auth-provider: { name: gcp } }' }),
    said: 'auth-provider "gcp", which is not supported; use exec',
  },
  { name: 'an empty file', text: '', said: 'is empty' },
  { name: 'no YAML', text: 'a: [', said: 'Flow' },
])('$name is refused with the path of the file', ({ text, said }) => {
  const path = write(text);
  expect(() => accessFromKubeconfig(path)).toThrow(`kubeconfig ${path}: `);
  expect(() => accessFromKubeconfig(path)).toThrow(said);
});

test('of several files in KUBECONFIG the first that has a name gives it; missing ones are left out', () => {
  const users = write('users: [{ name: u, user: { token: first } }]\n');
  const rest = write(config({ user: '{ token: second }' }));
  const access = accessFromEnvironment({ KUBECONFIG: [join(folder, 'missing'), users, rest].join(delimiter) });
  expect(access.server).toBe('https://10.0.0.1:6443');
  return expect(access.credentials.authorization()).resolves.toBe('Bearer first');
});

test('a KUBECONFIG that is not there is an error, not a reason to look elsewhere', () => {
  const KUBECONFIG = join(folder, 'missing');
  expect(() => accessFromEnvironment({ KUBECONFIG })).toThrow(`KUBECONFIG is ${KUBECONFIG}; there is no such file`);
});

test("a pod's service account: server from the environment, namespace and token from its folder", async () => {
  const account = join(folder, 'account');
  mkdirSync(account);
  for (const [name, text] of [
    ['token', 't1'],
    ['namespace', 'shop'],
    ['ca.crt', 'CA'],
  ] as const)
    writeFileSync(join(account, name), text);
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };
  const access = accessFromServiceAccount(env, account);
  expect(access.server).toBe('https://[fd00::1]:443');
  expect(access.namespace).toBe('shop');
  expect(access.tls()).toEqual({ ca: Buffer.from('CA') });
  expect(await access.credentials.authorization()).toBe('Bearer t1');
  expect(() => accessFromServiceAccount({}, account)).toThrow('this is not a pod');
});
