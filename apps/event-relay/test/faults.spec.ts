import { randomUUID } from 'node:crypto';
import { canaryRolledBack, catalogue, type JournalEvent, type Sink } from '@keelson/contracts';
import { Messaging } from '@keelson/messaging';
import { eventually, testPostgres, testRabbitMq, type Postgres, type RabbitMq } from '@keelson/testing';
import { Receiver } from './support/receiver.ts';
import { anAlert, aWebhook, eventRelay, type EventRelay } from './support/service.ts';

describe('when a part goes away', () => {
  let postgres: Postgres;
  let rabbit: RabbitMq;
  let receiver: Receiver;
  let service: EventRelay;
  let platform: Messaging;

  beforeAll(async () => {
    [postgres, rabbit, receiver] = await Promise.all([testPostgres(), testRabbitMq(), Receiver.start()]);
    service = await eventRelay({
      databaseUrl: await postgres.createDatabase({ name: 'events' }),
      amqpUrl: rabbit.amqpUrl,
      rules: `sinks: [{ name: hook, webhook: { url: "${receiver.url}" } }]`,
    });
    platform = await Messaging.connect({ url: rabbit.amqpUrl, service: 'canary-controller', catalogue });
    await platform.ready();
  });

  afterAll(async () => {
    await service?.stop();
    await platform?.close(0);
    await Promise.all([receiver?.stop(), postgres?.stop(), rabbit?.stop()]);
  });

  let sent = 0;
  const alert = (summary: string) => anAlert({ fingerprint: `f-${(sent += 1)}`, annotations: { summary } });
  const post = (json: object) => service.call('POST', '/v1/alertmanager', { token: 'alertmanager-token', json });
  const rolledBack = (reason: string, id: string = randomUUID()) =>
    platform.publish(
      canaryRolledBack,
      {
        canaryId: '0190a5f0-0000-7000-8000-000000000001',
        namespace: 'shop',
        name: 'shop',
        team: 'platform',
        release: 2,
        canaryDeployment: 'shop-v2',
        at: '2026-03-01T12:00:00Z',
        reason,
        evidence: [],
      },
      { id },
    );
  const arrived = (...texts: string[]) =>
    eventually(() => texts.every((text) => receiver.messages.some((message) => message.includes(text))), {
      withinMs: 60_000,
      describe: `${texts.join(', ')} at the sink`,
    });

  test('without the database: 503, what the sink has it gets no second time, and afterwards all goes on', async () => {
    expect((await post(aWebhook([alert('before')]))).status).toBe(202);
    await arrived('before');
    // In the hands of the sink when the database goes: its arrival cannot be written down.
    receiver.answer = () => 'hang';
    await post(aWebhook([alert('in hand')]));
    await eventually(() => receiver.hanging === 1);
    postgres.kill('SIGKILL');
    receiver.answer = () => 200;
    receiver.release();
    const body = aWebhook([alert('during')]);
    for (const answer of [
      await post(body),
      await service.call('GET', '/v1/events'),
      await service.call('GET', '/v1/sinks'),
    ]) {
      expect(answer.body).toMatchObject({ status: 503, code: 'unavailable' });
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect((await fetch(`${service.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${service.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${service.url}/metrics`)).status).toBe(200);
    await rolledBack('told without a database');
    await postgres.restart();
    // Alertmanager repeats what was answered with 503.
    await eventually(async () => (await post(body)).status === 202);
    await arrived('during', 'told without a database');
    expect(new Set(receiver.messages).size).toBe(receiver.messages.length);
  });

  test('without the broker alerts go on, and the platform’s messages are read once it is back', async () => {
    await rabbit.queuesKept();
    rabbit.kill('SIGKILL');
    expect((await post(aWebhook([alert('no broker')]))).status).toBe(202);
    await arrived('no broker');
    expect((await fetch(`${service.url}/readyz`)).status).toBe(200);
    await rabbit.restart();
    await platform.ready();
    const id = randomUUID();
    const published = () =>
      rolledBack('broker is back', id).then(
        () => true,
        () => false,
      );
    await eventually(published, { withinMs: 60_000 });
    await arrived('broker is back');
  });

  test('a sink that is away is told of in the list, with the reason, and gets all of it once it is back, in order', async () => {
    receiver.answer = () => 503;
    receiver.refusal = { headers: { 'retry-after': '0' }, body: 'maintenance' };
    const texts = ['while away 1', 'while away 2', 'while away 3'];
    await post(aWebhook(texts.map(alert)));
    const sinks = async () => (await service.call<{ items: Sink[] }>('GET', '/v1/sinks')).body.items;
    const [hook] = await eventually(async () => {
      const list = await sinks();
      return list[0]!.state === 'retrying' ? list : undefined;
    });
    expect(hook).toMatchObject({ lagEvents: 3, lastError: 'HTTP 503: maintenance' });
    receiver.answer = () => 200;
    await arrived(...texts);
    expect(receiver.messages.slice(-3)).toEqual(texts);
    const [after] = await eventually(async () => {
      const list = await sinks();
      return list[0]!.state === 'delivering' && list[0]!.lagEvents === 0 ? list : undefined;
    });
    expect(after).not.toHaveProperty('lastError');
  });

  test('the platform’s messages are in the journal once, in words', async () => {
    const { body } = await service.call<{ items: JournalEvent[] }>('GET', '/v1/events?source=platform&order=asc');
    expect(body.items.map(({ reason, message }) => [reason, message])).toEqual([
      ['CanaryRolledBack', 'shop-v2 was rolled back: told without a database'],
      ['CanaryRolledBack', 'shop-v2 was rolled back: broker is back'],
    ]);
  });
});
