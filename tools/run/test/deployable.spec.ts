import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  freePort,
  privateFolder,
  removePrivateFolder,
  startProcess,
  testDatabase,
  type TestDatabase,
  testVhost,
  type TestVhost,
} from '@keelson/testing';
import { deployableApps, writeDeployable } from '../deployable/write.ts';

const root = join(import.meta.dirname, '../../..');
const run = promisify(execFile);

/** What each service has to be told to start, besides database, broker and port. */
const services: { name: string; args?: string[]; env?: Record<string, string>; needsCluster?: boolean }[] = [
  { name: 'order-demo', args: ['--role=api'] },
  { name: 'cert-service', env: { KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64') } },
  { name: 'event-relay', env: { EVENT_APIS: 'none' } },
  {
    name: 'canary-controller',
    env: { PROMETHEUS_URL: 'http://127.0.0.1:9', EVENTS_URL: 'http://127.0.0.1:9', SERVICE_TOKEN: 'x'.repeat(32) },
    needsCluster: true,
  },
  {
    name: 'console',
    env: Object.fromEntries(
      ['CERT_URL', 'EVENTS_URL', 'CANARY_URL', 'ORDERS_URL'].map((name) => [name, 'http://127.0.0.1:9']),
    ),
  },
];
const programs = ['cli'];

describe('an app in its own folder', () => {
  let folder: string;
  let database: TestDatabase;
  let vhost: TestVhost;
  let kubeconfig: string;

  beforeAll(async () => {
    folder = privateFolder('deployable');
    vhost = await testVhost();
    // A cluster that is away: a service starts all the same, and says so in its readiness.
    kubeconfig = join(folder, 'kubeconfig');
    const cluster = { server: `http://127.0.0.1:${await freePort()}` };
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'c', cluster }],
        users: [{ name: 'u', user: { token: 't' } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'x',
      }),
    );
    // Nothing is built here: the run has built all, and Nx empties each dist before it fills it again, also from its
    // cache, under the tests beside this one that start processes from there.
  });

  afterAll(async () => {
    await vhost.delete();
    removePrivateFolder(folder);
  });

  beforeEach(async () => {
    database = await testDatabase();
  });
  afterEach(() => database.drop());

  /** Nothing of the workspace is above it: what the app imports must be in its own lock file. */
  const install = async (name: string): Promise<string> => {
    const app = writeDeployable(root, name, join(folder, name));
    await run('npm', ['ci', '--omit=dev', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: app,
    });
    expect(existsSync(join(app, 'node_modules/jest'))).toBe(false);
    return app;
  };

  test('is tried here, whichever it is', () => {
    expect([...services.map(({ name }) => name), ...programs].sort()).toEqual(deployableApps(root).sort());
  });

  test.each(services)(
    '$name installs and serves outside of the workspace',
    async ({ name, args = [], env, needsCluster }) => {
      const app = await install(name);
      const service = await startProcess({
        name,
        command: [process.execPath, 'main.js', ...args],
        cwd: app,
        env: {
          DATABASE_URL: database.url,
          AMQP_URL: vhost.amqpUrl,
          HOST: '127.0.0.1',
          PORT: '0',
          NODE_OPTIONS: undefined,
          KUBECONFIG: needsCluster === true ? kubeconfig : undefined,
          ...env,
        },
        ready: { line: /"msg":"listening"/ },
      });
      expect((await fetch(new URL('/healthz', service.url))).status).toBe(200);
      expect(await service.stop(60_000)).toEqual({ code: 0, signal: null });
    },
    600_000,
  );

  test.each(programs)(
    '%s installs and runs outside of the workspace',
    async (name) => {
      const app = await install(name);
      const { stdout } = await run(process.execPath, ['main.js', '--help'], { cwd: app });
      expect(stdout).toContain('Usage: keelson');
    },
    600_000,
  );
});
