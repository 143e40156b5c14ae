import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  privateFolder,
  removePrivateFolder,
  startProcess,
  testDatabase,
  type TestDatabase,
  testVhost,
  type TestVhost,
} from '@keelson/testing';
import { writeDeployable } from '../deployable/write.ts';
import { nx } from '../nx.ts';

const root = join(import.meta.dirname, '../../..');

describe('an app in its own folder', () => {
  let folder: string;
  let database: TestDatabase;
  let vhost: TestVhost;

  beforeAll(async () => {
    folder = privateFolder('deployable');
    [database, vhost] = await Promise.all([testDatabase(), testVhost()]);
  });

  afterAll(async () => {
    await Promise.all([database.drop(), vhost.delete()]);
    removePrivateFolder(folder);
  });

  test('installs and serves outside of the workspace', async () => {
    const built = await nx(root, ['build', 'order-demo'], { quiet: true });
    expect(built).toMatchObject({ code: 0 });
    const app = writeDeployable(root, 'order-demo', join(folder, 'order-demo'));

    // Nothing of the workspace is above it: what it imports must be in its own lock file.
    await promisify(execFile)('npm', ['ci', '--omit=dev', '--prefer-offline', '--ignore-scripts'], { cwd: app });
    expect(existsSync(join(app, 'node_modules/jest'))).toBe(false);
    const service = await startProcess({
      name: 'order-demo',
      command: [process.execPath, 'main.js', '--role=api'],
      cwd: app,
      env: {
        DATABASE_URL: database.url,
        AMQP_URL: vhost.amqpUrl,
        HOST: '127.0.0.1',
        PORT: '0',
        NODE_OPTIONS: undefined,
      },
      ready: { line: /"msg":"listening"/ },
    });
    const health = await fetch(new URL('/healthz', service.url));
    expect(health.status).toBe(200);
    expect(await service.stop(15_000)).toEqual({ code: 0, signal: null });
  }, 300_000);
});
