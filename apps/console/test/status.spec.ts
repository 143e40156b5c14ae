import { Agent } from 'undici';
import { StatusReader } from '../src/server/read-status.ts';
import { SERVICE_KEYS, type ServiceKey } from '../src/services.ts';
import { platformStatusSchema, type ServiceStatus } from '../src/status.ts';
import { type Stage, stage } from './running.ts';
import { json } from './upstream.ts';

describe('the state of the services', () => {
  let on: Stage;
  beforeEach(async () => {
    on = await stage();
    for (const upstream of Object.values(on.upstreams))
      upstream.answer((response) =>
        json(response, 200, { status: 'ready', checks: { database: { ok: true, milliseconds: 1 } } }),
      );
  });
  afterEach(() => on.stop());

  const read = async (): Promise<{ text: string; by: Record<string, ServiceStatus> }> => {
    const answer = await on.call('/api/status');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const text = await answer.text();
    const { services } = platformStatusSchema.parse(JSON.parse(text));
    return { text, by: Object.fromEntries(services.map((one) => [one.key, one])) };
  };

  test('ready services are ready', async () => {
    const { by } = await read();
    expect(Object.values(by).map(({ state }) => state)).toEqual(['ready', 'ready', 'ready', 'ready']);
    expect(by['events']).toMatchObject({ service: 'event-relay', checks: [{ name: 'database', ok: true }] });
    expect(by['events']!.reason).toBeUndefined();
    expect(on.upstreams.events.arrived.map(({ url }) => url)).toEqual(['/readyz']);
  });

  test('what a service waits for is named', async () => {
    on.upstreams.events.answer((response) =>
      json(response, 503, {
        status: 'not-ready',
        checks: { database: { ok: false, milliseconds: 9, reason: 'too many clients' }, broker: { ok: true } },
      }),
    );
    on.upstreams.orders.answer((response) => json(response, 503, { status: 'draining', checks: {} }));
    const { by } = await read();
    expect(by['events']).toMatchObject({ state: 'not-ready', reason: 'database: too many clients' });
    expect(by['orders']).toMatchObject({ state: 'draining', reason: 'it is shutting down' });
    expect(by['canaries']).toMatchObject({ state: 'ready' });
  });

  test('a service that is away, and something else in its place, are told apart; no address is told', async () => {
    await on.upstreams.canaries.stop();
    on.upstreams.orders.answer((response) => void response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>'));
    const { by, text } = await read();
    expect(by['canaries']).toMatchObject({ state: 'unreachable', reason: 'it refuses connections' });
    expect(by['orders']).toMatchObject({
      state: 'unreachable',
      reason: 'its /readyz answered 502 and not what a Keelson service answers',
    });
    expect(text).not.toContain('127.0.0.1');
  });

  test('many who ask within a second cause one look', async () => {
    const addresses = Object.fromEntries(SERVICE_KEYS.map((key) => [key, on.upstreams[key].url]));
    const dispatcher = new Agent();
    let now = 0;
    const reader = new StatusReader(addresses as Record<ServiceKey, string>, dispatcher, () => now);
    const { arrived } = on.upstreams.certificates;
    await Promise.all(Array.from({ length: 20 }, () => reader.read()));
    now = 999;
    await reader.read();
    expect(arrived).toHaveLength(1);
    now = 1_000;
    await reader.read();
    expect(arrived).toHaveLength(2);
    await dispatcher.close();
  });
});
