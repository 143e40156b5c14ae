import { catalogue, queueCatalogue } from '@keelson/contracts';
import { testVhost, type TestVhost } from '@keelson/testing';
import { connect } from 'amqplib';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../src/run-cli.ts';

async function keelson(environment: Record<string, string>, ...argv: string[]) {
  let out = '';
  let err = '';
  const code = await runCli(['messages', ...argv], {
    environment: { KEELSON_TOKEN: 'secret-token-1234', ...environment },
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

describe('without a broker', () => {
  test('routes names every message of the catalogue with the queues it reaches', async () => {
    const { code, out } = await keelson({}, 'routes', '-o', 'json');
    expect(code).toBe(0);
    const { items } = JSON.parse(out) as { items: { routingKey: string; queues: string[] }[] };
    expect(items.map(({ routingKey }) => routingKey).sort()).toEqual(Object.keys(catalogue).sort());
    expect(items.find(({ routingKey }) => routingKey === 'message.parked.v1')?.queues).toEqual([
      'event-relay.platform',
    ]);
    // An older version, which is lifted to the one that is subscribed to.
    expect((await keelson({}, 'routes', 'coupon.expired.v1')).out).toContain('order-demo.coupons');
    expect((await keelson({}, 'routes', 'canary.promoted')).out).toMatch(
      /^MESSAGE +SENT BY +QUEUES\ncanary.promoted.v1 +canary-controller +event-relay.platform\n$/,
    );
  });

  test('describe shows each queue with its parking lot, its arguments and what is bound to it', async () => {
    const { out } = await keelson({}, 'describe', '--service', 'event-relay');
    expect(out).toContain('queue event-relay.platform.parked');
    expect(out).toContain('x-dead-letter-strategy=at-least-once x-overflow=reject-publish x-max-length=1000000');
    expect(out).toContain('  <- certificate.expiring.v1');
    expect(out).not.toContain('order-demo');
    const requests = (await keelson({}, 'describe', '--service', 'order-demo')).out;
    expect(requests).toContain(
      'queue order-demo.quotes\n  x-queue-type=classic x-max-length=10000 x-overflow=reject-publish\n  <- quote.requested.v1',
    );
    expect(requests).not.toContain('order-demo.quotes.parked');
    expect(await keelson({}, 'describe', '--service', 'nobody')).toMatchObject({
      code: 3,
      err: expect.stringContaining('order-demo, event-relay'),
    });
  });

  test('timeline tells each attempt and when a message is parked', async () => {
    const { out } = await keelson({}, 'timeline');
    expect(out).toMatch(/^ATTEMPT +WAIT +AT +RUNS\n1 +0ms +0ms +3\n2 +1\.0s to 1\.3s +1\.3s to 1\.5s +3\n/);
    expect(out).toMatch(/parked .* 24 in all, as attempts-exhausted\n$/);
    const old = JSON.parse((await keelson({}, 'timeline', '--max-age', '5000', '-o', 'json')).out) as {
      parkedAs: string;
    };
    expect(old.parkedAs).toBe('too-old');
    expect(await keelson({}, 'timeline', '--quick-delays', '1,x')).toMatchObject({ code: 2 });
  });

  test('the broker is never given by an option, and what is wrong with it is said without its password', async () => {
    expect(await keelson({}, 'doctor')).toMatchObject({ code: 2, err: expect.stringContaining('AMQP_URL is not set') });
    const away = await keelson({ AMQP_URL: 'amqp://u:hunter2@127.0.0.1:1/v' }, 'doctor');
    expect(away).toMatchObject({ code: 5, err: expect.stringContaining('RabbitMQ at 127.0.0.1:1/v: ECONNREFUSED') });
    expect(away.err + (await keelson({ AMQP_URL: 'hunter2' }, 'doctor')).err).not.toContain('hunter2');
  });
});

describe('at a broker', () => {
  let vhost: TestVhost;
  let folder: string;
  beforeAll(async () => {
    vhost = await testVhost();
    folder = mkdtempSync(join(tmpdir(), 'keelson-cli-messages-'));
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
    await vhost.delete();
  });

  test('plan shows what is missing, apply makes it, doctor then misses only the consumers', async () => {
    const file = join(folder, 'amqp-url');
    writeFileSync(file, `${vhost.amqpUrl}\n`);
    const environment = { AMQP_MANAGEMENT_URL: vhost.managementUrl };
    const at = ['--amqp-url-file', file];
    const before = await keelson(environment, 'plan', ...at);
    expect(before.code).toBe(1);
    for (const { queue, kind } of queueCatalogue) {
      const role = kind === undefined ? 'consumer' : kind;
      expect(before.out).toContain(`queue ${queue}: missing -> ${role} queue, create with "keelson messages apply"`);
    }
    expect((await keelson(environment, 'apply', ...at, '--dry-run')).out).toBe(before.out);

    const applied = await keelson(environment, 'apply', ...at);
    expect(applied).toMatchObject({ code: 0, out: expect.stringContaining('queue order-demo.inventory created') });
    expect(await keelson(environment, 'plan', ...at)).toEqual({
      code: 0,
      out: '',
      err: 'the broker fits (read by management)\n',
    });

    const { code, out } = await keelson(environment, 'doctor', ...at, '-o', 'json');
    expect(code).toBe(1);
    const { items } = JSON.parse(out) as { items: { check: string; state: string; detail: string; remedy?: string }[] };
    expect(items.filter(({ state }) => state === 'wrong').map(({ detail }) => detail)).toEqual(
      queueCatalogue.map(({ queue }) => `nobody reads ${queue}; 0 messages wait`),
    );
    expect(items).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ check: 'version', state: 'ok' }),
        expect.objectContaining({ check: 'topology', state: 'ok' }),
        expect.objectContaining({ check: 'alarms', state: 'ok' }),
        expect.objectContaining({ check: 'consumer timeout', state: 'unknown' }),
      ]),
    );
    for (const { state, remedy } of items) if (state !== 'ok') expect(remedy).toBeTruthy();
  });

  test('apply --migrate makes a queue anew, with its messages', async () => {
    const environment = { AMQP_URL: vhost.amqpUrl, AMQP_MANAGEMENT_URL: vhost.managementUrl };
    await keelson(environment, 'apply');
    const connection = await connect(vhost.amqpUrl);
    const channel = await connection.createConfirmChannel();
    await channel.deleteQueue('order-demo.coupons');
    await channel.assertQueue('order-demo.coupons', { durable: true });
    channel.sendToQueue('order-demo.coupons', Buffer.from('kept'), { persistent: true });
    await channel.waitForConfirms();
    const planned = await keelson(environment, 'plan', '--service', 'order-demo');
    expect(planned.out).toContain('queue order-demo.coupons: x-queue-type classic -> quorum, migrate with');
    expect(await keelson(environment, 'apply', '--migrate', 'order-demo.coupons')).toMatchObject({
      code: 0,
      out: 'queue order-demo.coupons was made anew; 1 messages moved\n',
    });
    expect((await keelson(environment, 'plan')).code).toBe(0);
    expect(await channel.get('order-demo.coupons', { noAck: true })).toMatchObject({ content: Buffer.from('kept') });
    await connection.close();
  });
});

describe('at a service', () => {
  let server: Server;
  let environment: Record<string, string>;
  let answers: Record<string, unknown[]>;
  let asked: { path: string; body: unknown }[];
  const parked = {
    id: 'm-1',
    queue: 'order-demo.coupons',
    type: 'dev.keelson.order.paid.v1',
    code: 'invalid-payload',
    reason: 'orderId is 7',
    attempts: 1,
    redriveCount: 0,
    bytes: 13,
  };
  const acted = { seen: 3, matched: 3, done: 3, more: false };

  beforeEach(async () => {
    answers = {};
    asked = [];
    server = createServer((request, response) => {
      let text = '';
      request.on('data', (chunk) => (text += chunk));
      request.on('end', () => {
        const path = request.url!.split('?')[0]!.replace('/v1/messages/', '');
        asked.push({
          path: request.url!.replace('/v1/messages/', ''),
          body: text === '' ? undefined : JSON.parse(text),
        });
        const answer = answers[path]?.shift();
        response
          .writeHead(answer === undefined ? 500 : 200, { 'content-type': 'application/json' })
          .end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    environment = { KEELSON_ORDERS_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const readAt = '2026-03-01T12:00:00Z';
  const queue = (fields: object) => ({ queue: 'order-demo.coupons', ready: 4, consumers: 1, parked: 2, ...fields });

  test('queues are listed; one that nobody reads is a failed check', async () => {
    answers['queues'] = [
      { items: [queue({ rates: { in: 12.34, out: 12, acknowledged: 12 } })], source: 'management', readAt },
      { items: [queue({ consumers: 0 })], source: 'amqp', readAt },
      {
        items: [queue({ queue: 'order-demo.quotes', kind: 'requests', parked: 0 })],
        source: 'management',
        readAt,
      },
    ];
    const fine = await keelson(environment, 'queues');
    expect(fine).toMatchObject({ code: 0, err: '' });
    expect(fine.out).toMatch(/order-demo.coupons +4 +1 +12\.3 +12\.0 +2/);
    const unread = await keelson(environment, 'queues');
    expect(unread).toMatchObject({ code: 1, err: expect.stringContaining('nobody reads order-demo.coupons') });
    // Where nothing can be parked there is no number.
    expect((await keelson(environment, 'queues')).out).toMatch(/order-demo.quotes +4 +1\s*\n/);
  });

  test('what was delayed and found no queue is asked of any service, and counted once', async () => {
    const lot = queue({ queue: 'keelson.delayed', ready: 0, consumers: 0, parked: 1, lotOnly: true });
    const both = { ...environment, KEELSON_EVENTS_URL: environment['KEELSON_ORDERS_URL']! };
    const items = [queue({}), lot];
    answers['queues'] = [1, 2, 3, 4].map(() => ({ items, source: 'management', readAt }));
    const listed = await keelson(both, 'queues', '-o', 'name');
    expect(listed).toEqual({ code: 0, out: 'order-demo.coupons\nkeelson.delayed\n', err: '' });
    const group = {
      code: 'queue-missing',
      type: parked.type,
      count: 1,
      example: 'queue order-demo.coupons was not there',
    };
    answers['parked/groups'] = [1, 2].map(() => ({ items: [group], seen: 1, complete: true }));
    expect((await keelson(both, 'parked', '-o', 'name')).out).toBe(
      'order-demo.coupons/queue-missing\nkeelson.delayed/queue-missing\n',
    );
    answers['parked/redrive'] = [{ ...acted, run: 'r-1' }];
    expect(await keelson(environment, 'redrive', 'keelson.delayed')).toMatchObject({
      code: 0,
      out: '3 messages of keelson.delayed were sent again\n',
    });
    expect(await keelson(environment, 'peek', 'keelson.other', 'm-1')).toMatchObject({
      code: 2,
      err: expect.stringContaining('or it is keelson.delayed'),
    });
  });

  test('parked messages are shown by error, one by one, in full, and exported as JSON lines', async () => {
    answers['queues'] = [{ items: [queue({})], source: 'management', readAt }];
    answers['parked/groups'] = [
      {
        items: [{ code: 'invalid-payload', type: parked.type, count: 2, example: 'orderId is 7' }],
        seen: 2,
        complete: true,
      },
    ];
    const grouped = await keelson(environment, 'parked');
    expect(grouped.out).toMatch(/order-demo.coupons +invalid-payload +dev.keelson.order.paid.v1 +2 +orderId is 7/);
    expect(grouped.err).toBe('next: keelson messages parked order-demo.coupons --code invalid-payload\n');
    answers['parked'] = [
      { items: [parked], next: 'MQ' },
      { items: [{ ...parked, id: 'm-2' }] },
      { items: [{ ...parked, body: '{}' }] },
    ];
    const listed = await keelson(
      environment,
      'parked',
      'order-demo.coupons',
      '--code',
      'invalid-payload',
      '-o',
      'name',
    );
    expect(listed.out).toBe('m-1\nm-2\n');
    expect(asked.at(-1)?.path).toMatch(/^parked\?.*code=invalid-payload.*cursor=MQ/);
    const exported = await keelson(environment, 'export', 'order-demo.coupons');
    expect(
      exported.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([{ ...parked, body: '{}' }]);
    answers['parked/order-demo.coupons/m-1'] = [{ ...parked, body: '{"orderId":7}', stack: 'Error: at handler' }];
    expect((await keelson(environment, 'peek', 'order-demo.coupons', 'm-1')).out).toContain(
      '\n{"orderId":7}\n\nError: at handler',
    );
  });

  test('redrive counts, sends in as many calls as it takes, and fails where a message fails again', async () => {
    answers['parked/redrive'] = [
      { ...acted, done: 0 },
      { ...acted, more: true, run: 'r-1' },
      { ...acted, run: 'r-1' },
      { ...acted, done: 1, more: true, run: 'r-2', stopped: { code: 'failed-again', id: 'm-1', detail: 'no: no' } },
    ];
    expect((await keelson(environment, 'redrive', 'order-demo.coupons', '--dry-run')).out).toBe(
      '3 messages of order-demo.coupons would be sent again\n',
    );
    const sent = await keelson(environment, 'redrive', 'order-demo.coupons', '--rate', '50', '--text', 'x');
    expect(sent).toMatchObject({ code: 0, out: '6 messages of order-demo.coupons were sent again\n' });
    expect(asked.at(-1)?.body).toMatchObject({
      run: 'r-1',
      ratePerSecond: 50,
      text: 'x',
      stopOnFailure: true,
      dryRun: false,
    });
    const stopped = await keelson(environment, 'redrive', 'order-demo.coupons', 'm-1');
    expect(stopped).toMatchObject({ code: 1, err: expect.stringContaining('m-1 failed again: no: no') });
    expect(asked.at(-1)?.body).toMatchObject({ ids: ['m-1'] });
  });

  test('purge says how many it would delete and does it only with --yes', async () => {
    answers['parked/discard'] = [{ ...acted, done: 0 }, acted];
    const asking = await keelson(environment, 'purge', 'order-demo.coupons');
    expect(asking).toMatchObject({
      code: 2,
      err: expect.stringContaining('deletes 3 messages for good; repeat the command with --yes'),
    });
    expect(asked).toMatchObject([{ body: { dryRun: true } }]);
    expect(await keelson(environment, 'purge', 'order-demo.coupons', '--yes')).toMatchObject({
      code: 0,
      out: '3 messages of order-demo.coupons were deleted\n',
    });
  });

  test('edit sends the payload of a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'keelson-cli-edit-'));
    try {
      const file = join(folder, 'payload.json');
      writeFileSync(file, '{"orderId":"8"}');
      answers['parked/order-demo.coupons/m-1/edit'] = [{ id: 'n-1', replaces: 'm-1' }];
      const done = await keelson(environment, 'edit', 'order-demo.coupons', 'm-1', '-f', file);
      expect(done).toMatchObject({ code: 0, out: 'm-1 was sent again, corrected, as n-1\n' });
      expect(asked).toMatchObject([{ body: { payload: { orderId: '8' } } }]);
      writeFileSync(file, '{');
      expect(await keelson(environment, 'edit', 'order-demo.coupons', 'm-1', '-f', file)).toMatchObject({ code: 2 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('a queue of nobody is a fault of use', async () => {
    expect(await keelson(environment, 'redrive', 'coupons')).toMatchObject({
      code: 2,
      err: expect.stringContaining('its name begins with order-demo. or event-relay.'),
    });
  });
});
