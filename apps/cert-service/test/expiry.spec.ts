import { eventually, fixedClock, testDatabase, testVhost, type TestDatabase, type TestVhost } from '@keelson/testing';
import { listener } from './support/messages.ts';
import { opensslCsr } from './support/openssl.ts';
import { certService, newKey, type CertService } from './support/service.ts';

describe('the expiry scan', () => {
  let database: TestDatabase;
  let vhost: TestVhost;
  let messages: Awaited<ReturnType<typeof listener>>;
  const key = newKey();

  beforeAll(async () => {
    [database, vhost] = await Promise.all([testDatabase(), testVhost()]);
    messages = await listener(vhost.amqpUrl);
  });
  afterAll(async () => {
    await messages?.stop();
    await Promise.all([database?.drop(), vhost?.delete()]);
  });

  const running: CertService[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((service) => service.stop()));
  });

  const start = async (
    clock: ReturnType<typeof fixedClock>,
    env: Record<string, string> = {},
  ): Promise<CertService> => {
    const service = await certService({
      databaseUrl: database.url,
      amqpUrl: vhost.amqpUrl,
      clock,
      env: {
        KEY_ENCRYPTION_KEY: key,
        EXPIRY_SCAN_SECONDS: '1',
        EXPIRY_THRESHOLDS: '30d,14d,7d,1d',
        CLOCK_SKEW_SECONDS: '3600',
        ...env,
      },
    });
    running.push(service);
    return service;
  };
  const issue = async (service: CertService, lifetimeSeconds: number): Promise<string> => {
    const { body } = await service.call('POST', '/v1/certificates', {
      json: { csr: await opensslCsr(), lifetimeSeconds },
    });
    return body.id;
  };
  const told = (id: string) =>
    messages.heard
      .filter(({ name, payload }) => name === 'certificate.expiring' && payload.certificateId === id)
      .map(({ payload }) => payload['thresholdSeconds'] as number);

  test('announces each threshold once, with three replicas, over a restart, relative to a short life', async () => {
    const clock = fixedClock(new Date());
    let replicas: CertService[] = await Promise.all([start(clock), start(clock), start(clock)]);
    // 240 s of life from a minute ago: a third of the 300 s is 100 s, the others in proportion.
    const id = await issue(replicas[0]!, 240);
    const thresholds = [100, 46, 23, 3];
    clock.advance((240 - 99) * 1000);
    await eventually(() => told(id).length === 1);
    await Promise.all(replicas.map((replica) => replica.stop()));
    replicas = await Promise.all([start(clock), start(clock)]);
    clock.advance((99 - 45) * 1000);
    await eventually(() => told(id).length === 2);
    clock.advance((45 - 2) * 1000);
    await eventually(() => told(id).length === 3);
    const marker = await issue(replicas[1]!, 90);
    clock.advance(89_000);
    await eventually(() => told(marker).length === 1);
    await Promise.all(replicas.map((replica) => replica.stop()));
    // 23 s was passed together with 3 s: only the innermost is announced.
    expect(told(id)).toEqual(thresholds.filter((one) => one !== 23));
  });

  test('is silent about what is revoked, and about what expired while nobody looked', async () => {
    const clock = fixedClock(new Date());
    const service = await start(clock, { EXPIRY_SCAN_SECONDS: '3600' });
    const [revoked, missed] = [await issue(service, 90), await issue(service, 60)];
    const control = await issue(service, 120);
    await service.call('POST', `/v1/certificates/${revoked}/revoke`, { json: {} });
    await service.stop();
    clock.advance(80_000);
    const later = await start(clock);
    await eventually(() => told(control).length === 1);
    expect([told(revoked), told(missed)]).toEqual([[], []]);
    await later.stop();
  });

  test('plans anew when the thresholds change, without repeating what was said', async () => {
    const clock = fixedClock(new Date());
    const first = await start(clock, { EXPIRY_THRESHOLDS: '100s' });
    const id = await issue(first, 400);
    clock.advance(210_000);
    expect(told(id)).toEqual([]);
    await first.stop();
    const second = await start(clock, { EXPIRY_THRESHOLDS: '200s, 100s' });
    const scaled = Math.floor((200 * 460) / 600);
    clock.advance(50_000);
    await eventually(() => told(id).length === 1);
    expect(told(id)).toEqual([scaled]);
    await second.stop();
  });
});
