import { ConfigError, loadConfig } from '@keelson/service-kit';
import { privateFolder, removePrivateFolder, testPostgres, testVhost } from '@keelson/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { config } from '../src/config.ts';
import { definition, partsOf } from '../src/service.ts';
import { relayProcess } from './support/process.ts';
import { eventRelay } from './support/service.ts';

let folder: string;
beforeAll(() => {
  folder = privateFolder('event-relay-start');
});
afterAll(() => removePrivateFolder(folder));

/** Nobody answers there: whatever is said is said before anything is waited for. */
const base = { DATABASE_URL: 'postgres://u:p@127.0.0.1:9/d', AMQP_URL: 'amqp://u:p@127.0.0.1:9' };

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe('a configuration that cannot be used', () => {
  const faults = async (env: Record<string, string>): Promise<string> => {
    try {
      await partsOf(loadConfig(definition.config, { ...base, ...env }));
    } catch (error) {
      if (error instanceof ConfigError) return error.message;
      throw error;
    }
    throw new Error('it was accepted');
  };

  test('is refused with every fault of the rules, each with line and column', async () => {
    const path = file('rules.yaml', 'sinks:\n  - name: A\n    stdout: {}\n  - name: b\n    stdot: {}\n');
    const message = await faults({ RULES_FILE: path, EVENT_APIS: 'none' });
    expect(message).toContain(`RULES_FILE: ${path}:2:5: sinks.0.name: must be lower-case letters`);
    expect(message).toContain(`RULES_FILE: ${path}:5:5: sinks.1.stdot: is an unknown option`);
  });

  test('names a rules file that is not there', async () => {
    expect(await faults({ RULES_FILE: '/nowhere/rules.yaml', EVENT_APIS: 'none' })).toContain(
      'RULES_FILE: /nowhere/rules.yaml cannot be read: ENOENT',
    );
  });

  test('names every secret that is missing, and shows none', async () => {
    const path = file(
      'secrets.yaml',
      [
        'sinks:',
        '  - { name: a, telegram: { chatId: 1, token: { env: NOT_THERE_A } } }',
        '  - { name: b, webhook: { url: "https://h.example", headers: { x: { file: /nowhere/b } } } }',
        '  - { name: c, telegram: { chatId: 1, token: "hunter2" } }',
      ].join('\n'),
    );
    const message = await faults({ RULES_FILE: path, EVENT_APIS: 'none' });
    for (const part of ['sink a: telegram.token', 'NOT_THERE_A', 'sink b: webhook.headers.x', 'sink c: telegram.token'])
      expect(message).toContain(part);
    expect(message).not.toContain('hunter2');
  });

  test('without a cluster says how to name one, and how to do without', async () => {
    expect(await faults({ KUBECONFIG: '/nowhere/kubeconfig' })).toMatch(
      /KUBECONFIG: .*\/nowhere\/kubeconfig.*; or set EVENT_APIS=none/,
    );
  });

  test.each(['v2', 'none,v1', 'v1,events.k8s.io/v1beta1'])('with EVENT_APIS=%s is refused', async (EVENT_APIS) => {
    expect(await faults({ EVENT_APIS })).toContain('EVENT_APIS');
  });

  test.each([
    ['v1', ['v1']],
    ['none', []],
    ['v1, v1', ['v1']],
    ['', ['v1', 'events.k8s.io/v1']],
  ])('EVENT_APIS=%s', (EVENT_APIS, expected) => {
    expect(loadConfig(config, { ...base, EVENT_APIS }).EVENT_APIS).toEqual(expected);
  });

  test('ends the program with exit code 78', async () => {
    const path = file('wrong.yaml', 'sinks: [{ name: a, stdout: {}, mach: {} }]\n');
    const program = await relayProcess({ ...base, RULES_FILE: path, EVENT_APIS: 'none' }, { untilReady: false });
    expect(await program.exited).toEqual({ code: 78, signal: null });
    expect(program.lastLines().join('\n')).toContain('wrong.yaml:1:32: sinks.0.mach: is an unknown option');
  });
});

test('a start while database, broker and API server are away waits for the first and for nothing else', async () => {
  const [postgres, vhost] = await Promise.all([testPostgres(), testVhost()]);
  try {
    const databaseUrl = await postgres.createDatabase({ name: 'events' });
    postgres.kill('SIGKILL');
    const nowhere = { server: 'https://127.0.0.1:9', 'insecure-skip-tls-verify': true };
    const kubeconfig = file(
      'kubeconfig',
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'x',
        clusters: [{ name: 'x', cluster: nowhere }],
        contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
        users: [{ name: 'x', user: { token: 't' } }],
      }),
    );
    const starting = eventRelay({
      databaseUrl,
      amqpUrl: base.AMQP_URL,
      env: { KUBECONFIG: kubeconfig, EVENT_APIS: 'v1,events.k8s.io/v1' },
    });
    await postgres.restart();
    const service = await starting;
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
    expect((await service.call('GET', '/v1/events')).body.items).toEqual([]);
    await service.stop();
  } finally {
    await postgres.stop();
    await vhost.delete();
  }
});

test('wrong credentials of the database end the start at once, without showing them', async () => {
  const postgres = await testPostgres();
  try {
    const url = new URL(await postgres.createDatabase({ name: 'events' }));
    url.password = 'hunter2';
    const env = { DATABASE_URL: url.href, AMQP_URL: base.AMQP_URL, EVENT_APIS: 'none' };
    const program = await relayProcess(env, { untilReady: false });
    expect((await program.exited).code).toBe(1);
    const said = program.lastLines().join('\n');
    expect(said).toContain('Check DATABASE_URL');
    expect(said).not.toContain('hunter2');
  } finally {
    await postgres.stop();
  }
});
