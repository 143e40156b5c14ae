import { eventually, fixedClock, testPostgres, testRabbitMq, type Postgres, type RabbitMq } from '@keelson/testing';
import { listener } from './support/messages.ts';
import { opensslCsr } from './support/openssl.ts';
import { certService, newKey, type CertService } from './support/service.ts';

describe('when a part goes away', () => {
  let postgres: Postgres;
  let rabbit: RabbitMq;
  let service: CertService;
  let csr: string;
  const clock = fixedClock(new Date());

  beforeAll(async () => {
    [postgres, rabbit] = await Promise.all([testPostgres(), testRabbitMq()]);
    const databaseUrl = await postgres.createDatabase({ name: 'certs' });
    const env = { KEY_ENCRYPTION_KEY: newKey(), CRL_LIFETIME_SECONDS: '600', EXPIRY_SCAN_SECONDS: '1' };
    service = await certService({ databaseUrl, amqpUrl: rabbit.amqpUrl, env, clock });
    csr = await opensslCsr();
  });
  afterAll(async () => {
    await service?.stop();
    await Promise.all([postgres?.stop(), rabbit?.stop()]);
  });

  const issue = (key?: string) =>
    service.call('POST', '/v1/certificates', {
      json: { csr },
      ...(key !== undefined && { headers: { 'idempotency-key': key } }),
    });

  test('without the database: 503 with Retry-After, the revocation list goes on, and afterwards all works again', async () => {
    const { body: before } = await issue('before');
    const list = await service.bytes('/v1/crl');
    postgres.kill('SIGKILL');
    for (const answer of [
      await issue(),
      await issue('during'),
      await service.call('GET', `/v1/certificates/${before.id}`),
    ]) {
      expect({ status: answer.status, code: answer.body.code }).toEqual({ status: 503, code: 'unavailable' });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect((await fetch(`${service.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
    expect(await service.bytes('/v1/crl')).toEqual(list);
    await postgres.restart();
    const after = await eventually(async () => {
      const answer = await issue('during');
      return answer.status === 201 && answer;
    });
    expect((await issue('during')).body.id).toBe(after.body.id);
    expect((await issue('before')).body.id).toBe(before.id);
    const { body } = await service.call<{ intact: boolean }>('GET', '/v1/audit/verification');
    expect(body.intact).toBe(true);
  });

  test('without the broker certificates are issued all the same, and told once it is back', async () => {
    const messages = await listener(rabbit.amqpUrl);
    await rabbit.queuesKept();
    rabbit.kill('SIGKILL');
    const answers = await Promise.all([issue(), issue(), issue()]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    await rabbit.restart();
    const ids = answers.map(({ body }) => body.id);
    await eventually(() => ids.every((id) => messages.heard.some(({ payload }) => payload.certificateId === id)), {
      withinMs: 120_000,
    });
    await messages.stop();
  });

  test('while the clock disagrees with that of the database nothing is signed, and the reason is told', async () => {
    clock.advance(3_000_000);
    const refused = await eventually(async () => {
      const answer = await issue();
      return answer.status === 503 && answer;
    });
    expect(refused.body).toMatchObject({ code: 'clock-untrusted' });
    expect(refused.body.detail).toMatch(/is \d+ s ahead of that of the database/);
    const ready = (await (await fetch(`${service.url}/readyz`)).json()) as { checks: { clock: { ok: boolean } } };
    expect(ready.checks.clock.ok).toBe(false);
    expect((await fetch(`${service.url}/v1/crl`)).status).toBe(200);
    clock.advance(-3_000_000);
    await eventually(async () => (await issue()).status === 201);
  });
});
