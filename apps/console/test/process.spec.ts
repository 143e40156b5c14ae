import { join } from 'node:path';
import { eventually, type ManagedProcess, startProcess } from '@keelson/testing';
import { Upstream } from './upstream.ts';

const root = join(import.meta.dirname, '../../..');
const command = [
  join(root, 'node_modules/.bin/node'),
  '--conditions=keelson-source',
  '--disable-warning=ExperimentalWarning',
  join(import.meta.dirname, 'main.ts'),
];

describe('the process', () => {
  let upstream: Upstream;
  beforeAll(async () => {
    upstream = await Upstream.start();
  });
  afterAll(() => upstream.stop());

  const environment = (): Record<string, string | undefined> => ({
    NODE_OPTIONS: undefined,
    CONFIG_FILE: undefined,
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'debug',
    CERT_URL: upstream.url,
    EVENTS_URL: upstream.url,
    CANARY_URL: upstream.url,
    ORDERS_URL: upstream.url,
  });
  const start = (): Promise<ManagedProcess> =>
    startProcess({ name: 'console', command, env: environment(), ready: { line: /"msg":"listening"/ } });

  test('finishes what is in flight when it is told to end, and logs no token', async () => {
    let finish: () => void = () => undefined;
    upstream.answer((response) => {
      finish = () => void response.end('{"items":[]}');
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
    });
    const running = await start();
    const headers = { authorization: 'Bearer keelson_hunter2' };
    const asked = fetch(`${running.url}/api/events/v1/events`, { headers });
    await eventually(() => upstream.arrived.length === 1, { describe: 'the request at the service' });
    running.kill('SIGTERM');
    await eventually(() => running.lastLines(50).some((line) => line.includes('shutting down')));
    finish();
    const answer = await asked;
    expect([answer.status, await answer.text()]).toEqual([200, '{"items":[]}']);
    expect(await running.exited).toEqual({ code: 0, signal: null });

    upstream.answer((response) => void response.destroy());
    const other = await start();
    expect((await fetch(`${other.url}/api/events/v1/events?limit=1`, { headers })).status).toBe(503);
    await other.stop();
    const logged = [...running.lastLines(400), ...other.lastLines(400)].join('\n');
    expect(logged).toContain('"path":"/api/events/v1/events"');
    expect(logged).not.toContain('hunter2');
  });

  test('says everything that is wrong with its configuration at once, and ends with 78', async () => {
    const running = await startProcess({
      name: 'console',
      command,
      env: {
        ...environment(),
        PORT: '70000',
        CERT_URL: 'ftp://host',
        EVENTS_URL: 'http://user:hunter2@host',
        ORDERS_URL: '',
        TRUSTED_PROXIES: '10.0.0.1,everywhere',
      },
    });
    expect(await running.exited).toEqual({ code: 78, signal: null });
    const said = running.lastLines(50).join('\n');
    expect(said).toContain('console: 5 faults in the configuration');
    expect(said).toMatch(/PORT: is "70000"; .*65535/);
    expect(said).toContain('CERT_URL: is "ftp://host"; must be a URL that begins with http:// or https://');
    expect(said).toContain('must have neither user, password, query nor fragment');
    expect(said).toContain('ORDERS_URL: is missing (base URL of order-demo)');
    expect(said).toContain('TRUSTED_PROXIES');
    expect(said).not.toContain('hunter2');
  });
});
