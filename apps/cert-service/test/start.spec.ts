import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from '@keelson/service-kit';
import { testDatabase, testPostgres, testVhost, type TestDatabase, type TestVhost } from '@keelson/testing';
import { configSchema } from '../src/config.ts';
import { opensslCsr } from './support/openssl.ts';
import { certService, newKey } from './support/service.ts';

const base = { DATABASE_URL: 'postgres://u:p@h/d', AMQP_URL: 'amqp://u:p@h' };

describe('configuration', () => {
  const faults = (env: Record<string, string>): string => {
    try {
      loadConfig(configSchema, { ...base, ...env });
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
    }
    throw new Error('it was accepted');
  };

  test('without a secret for the keys it says how to make one, and with two which to leave out', () => {
    expect(faults({})).toContain('openssl rand -base64 32');
    const both = { KEY_ENCRYPTION_KEY: newKey(), KEY_ENCRYPTION_PASSPHRASE: 'correct horse battery' };
    expect(faults(both)).toContain('leave out either');
  });

  test('every fault is listed at once, no secret is shown', () => {
    const message = faults({
      KEY_ENCRYPTION_KEY: 'dG9vIHNob3J0',
      EXPIRY_THRESHOLDS: '30d,soon',
      CRL_LIFETIME_SECONDS: '5',
      PUBLIC_URL: 'certs.example',
    });
    for (const part of [
      'KEY_ENCRYPTION_KEY',
      '32 random bytes',
      'EXPIRY_THRESHOLDS',
      '30d, 12h',
      'CRL_LIFETIME_SECONDS',
      'PUBLIC_URL',
    ]) {
      expect(message).toContain(part);
    }
    expect(message).not.toContain('dG9vIHNob3J0');
  });

  test.each([
    ['30d,14d', [2_592_000, 1_209_600]],
    ['12h, 90m, 45s, 10', [43_200, 5400, 45, 10]],
    ['', [2_592_000, 1_209_600, 604_800, 86_400]],
  ])('EXPIRY_THRESHOLDS=%s', (text, expected) => {
    const config = loadConfig(configSchema, { ...base, KEY_ENCRYPTION_KEY: newKey(), EXPIRY_THRESHOLDS: text });
    expect(config.EXPIRY_THRESHOLDS).toEqual(expected);
  });
});

describe('a start', () => {
  let database: TestDatabase;
  let vhost: TestVhost;
  beforeEach(async () => {
    [database, vhost] = await Promise.all([testDatabase(), testVhost()]);
  });
  afterEach(async () => {
    await Promise.all([database.drop(), vhost.delete()]);
  });

  const start = (env: Record<string, string>) =>
    certService({ databaseUrl: database.url, amqpUrl: vhost.amqpUrl, env });
  const rootOf = async (env: Record<string, string>): Promise<string> => {
    const service = await start(env);
    const { body } = await service.call<{ root: string }>('GET', '/v1/authority', { token: null });
    const { status } = await service.call('POST', '/v1/certificates', { json: { csr: await opensslCsr() } });
    expect(status).toBe(201);
    await service.stop();
    return body.root;
  };

  test('after a restart with the same key it is the same authority', async () => {
    const env = { KEY_ENCRYPTION_KEY: newKey() };
    expect(await rootOf(env)).toBe(await rootOf(env));
  });

  test('with another key it is refused, naming the variable and the way out', async () => {
    await rootOf({ KEY_ENCRYPTION_KEY: newKey() });
    await expect(start({ KEY_ENCRYPTION_KEY: newKey() })).rejects.toThrow(
      /KEY_ENCRYPTION_KEY: is not the one that the keys in this database were encrypted under/,
    );
  });

  test('a passphrase works like a key; a wrong one, or a key in its place, is refused', async () => {
    const env = { KEY_ENCRYPTION_PASSPHRASE: 'correct horse battery staple' };
    expect(await rootOf(env)).toBe(await rootOf(env));
    await expect(start({ KEY_ENCRYPTION_PASSPHRASE: 'incorrect horse battery' })).rejects.toThrow(
      'KEY_ENCRYPTION_PASSPHRASE: is not the one',
    );
    await expect(start({ KEY_ENCRYPTION_KEY: newKey() })).rejects.toThrow('set KEY_ENCRYPTION_PASSPHRASE instead');
  });

  test('the key may come from a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'keelson-key-'));
    const key = newKey();
    await writeFile(join(folder, 'key'), `${key}\n`);
    try {
      expect(await rootOf({ KEY_ENCRYPTION_KEY: '', KEY_ENCRYPTION_KEY_FILE: join(folder, 'key') })).toBe(
        await rootOf({ KEY_ENCRYPTION_KEY: key }),
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('a policy file decides by team, and a broken one is refused whole', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'keelson-policy-'));
    const file = join(folder, 'policy.yaml');
    try {
      await writeFile(file, 'teams: { red: { dns: { suffixes: [.shop.example] }, lifetime: { maxSeconds: 3600 } } }\n');
      const service = await start({ POLICY_FILE: file });
      const ask = async (names: string, token: string) =>
        (
          await service.call('POST', '/v1/certificates', {
            token,
            json: { csr: await opensslCsr({ subject: '/', names }), lifetimeSeconds: 7200 },
          })
        ).body;
      const refused = await ask('DNS:bank.example,DNS:a.shop.example', 'red-token');
      expect(refused).toMatchObject({ code: 'policy-refused', status: 422 });
      expect(refused.errors?.map(({ detail }) => detail.split(':')[0])).toEqual(['lifetime', 'dns-name']);
      expect((await ask('DNS:a.shop.example', 'blue-token')).detail).toContain('no entry for team "blue"');
      await service.stop();
      await writeFile(file, 'teams: { red: { dns: { suffix: [.shop.example] } } }\n');
      await expect(start({ POLICY_FILE: file })).rejects.toThrow(/POLICY_FILE: .*fault\(s\)/);
      await expect(start({ POLICY_FILE: join(folder, 'absent') })).rejects.toThrow('cannot be read');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test('with the wrong password for database or broker it is refused at once, naming the variable, not the password', async () => {
    const guessed = (url: string): string => Object.assign(new URL(url), { password: 'guess' }).href;
    const attempts = {
      DATABASE_URL: { databaseUrl: guessed(database.url), amqpUrl: vhost.amqpUrl },
      AMQP_URL: { databaseUrl: database.url, amqpUrl: guessed(vhost.amqpUrl) },
    };
    for (const [name, urls] of Object.entries(attempts)) {
      const attempt = certService({ ...urls, env: { KEY_ENCRYPTION_KEY: newKey() } });
      await expect(attempt).rejects.toThrow(new RegExp(`Check ${name}`));
      await expect(attempt).rejects.not.toThrow(/guess/);
    }
  });

  test('without a cluster deliveries are refused with what to set', async () => {
    const service = await start({});
    const json = { dnsNames: ['a.example'], secret: { namespace: 'shop', name: 'tls' } };
    const { status, body } = await service.call('POST', '/v1/deliveries', { json });
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'delivery-unavailable' });
    expect(body.detail).toContain('KUBECONFIG');
    await service.stop();
  });
});

test('a start while the database is away waits for it', async () => {
  const [postgres, vhost] = await Promise.all([testPostgres(), testVhost()]);
  try {
    const databaseUrl = await postgres.createDatabase({ name: 'certs' });
    postgres.kill('SIGKILL');
    const starting = certService({ databaseUrl, amqpUrl: vhost.amqpUrl });
    await postgres.restart();
    const service = await starting;
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
    await service.stop();
  } finally {
    await postgres.stop();
    await vhost.delete();
  }
});
