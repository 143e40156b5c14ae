import { createServer } from 'node:net';
import { join } from 'node:path';
import {
  eventually,
  type Postgres,
  type RabbitMq,
  startProcess,
  testDatabase,
  type TestDatabase,
  testPostgres,
  testRabbitMq,
  testVhost,
  type TestVhost,
} from '@keelson/testing';
import { startRole, tokensFile } from './role-process.ts';
import { Shop } from './shop.ts';

describe('a start that cannot succeed ends at once and says what to change', () => {
  let database: TestDatabase;
  let vhost: TestVhost;
  beforeAll(async () => {
    [database, vhost] = await Promise.all([testDatabase(), testVhost()]);
  });
  afterAll(async () => {
    await Promise.all([database.drop(), vhost.delete()]);
  });

  const withPassword = (url: string, password: string): string => Object.assign(new URL(url), { password }).href;
  const endOf = async (env: Record<string, string | undefined>) => {
    const lines: string[] = [];
    const { exited } = await startProcess({
      name: 'order-demo',
      command: [process.execPath, join(import.meta.dirname, '../dist/main.js')],
      env: { DATABASE_URL: database.url, AMQP_URL: vhost.amqpUrl, PORT: '0', NODE_OPTIONS: undefined, ...env },
      onLine: (line) => lines.push(line),
    });
    return { code: (await exited).code, output: lines.join('\n') };
  };

  test('with the wrong password for the database', async () => {
    const { code, output } = await endOf({ DATABASE_URL: withPassword(database.url, 'guess-1') });
    expect(code).toBe(1);
    expect(output).toMatch(/PostgreSQL at .* refuses order-demo: .*Check DATABASE_URL/);
    expect(output).not.toContain('guess-1');
  });

  test('with the wrong password for the broker', async () => {
    const { code, output } = await endOf({ AMQP_URL: withPassword(vhost.amqpUrl, 'guess-2') });
    expect(code).toBe(1);
    expect(output).toMatch(/RabbitMQ at .* refuses us: .*Check AMQP_URL/);
    expect(output).not.toContain('guess-2');
  });

  test('without the addresses of its parts', async () => {
    const { code, output } = await endOf({ DATABASE_URL: undefined, AMQP_URL: 'http://broker' });
    expect(code).toBe(78);
    expect(output).toContain('DATABASE_URL: is missing');
    expect(output).toContain('must be a URL that begins with amqp:// or amqps://');
  });

  test('with a tokens file that is not there', async () => {
    const { code, output } = await endOf({ TOKENS_FILE: '/nowhere/tokens.json' });
    expect(code).toBe(1);
    expect(output).toContain('TOKENS_FILE /nowhere/tokens.json cannot be read');
  });

  test('with an exchange that somebody made otherwise', async () => {
    const path = `/api/exchanges/${vhost.vhost}/made-otherwise`;
    await vhost.management(path, { method: 'PUT', body: { type: 'direct', durable: true } });
    const { code, output } = await endOf({ EXCHANGE: 'made-otherwise' });
    expect(code).toBe(1);
    expect(output).toMatch(/exchange made-otherwise: type direct -> topic, .*delete it/);
    expect(output).toContain('has type direct, this program needs topic');
  });

  test('with a queue that somebody made otherwise', async () => {
    const other = await testVhost();
    await other.management(`/api/queues/${other.vhost}/order-demo.coupons`, {
      method: 'PUT',
      body: { durable: true, arguments: { 'x-queue-type': 'classic' } },
    });
    const { code, output } = await endOf({ AMQP_URL: other.amqpUrl });
    await other.delete();
    expect(code).toBe(1);
    // The broker names the first property that differs only.
    expect(output).toMatch(
      /queue order-demo\.coupons: \S+ none -> .*, migrate with .*keelson messages apply --migrate/,
    );
    expect(output).toContain('this program needs');
  });

  test('on a port that is in use', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => holder.once('listening', resolve));
    const { port } = holder.address() as { port: number };
    const { code, output } = await endOf({ PORT: String(port) });
    holder.close();
    expect(code).toBe(1);
    expect(output).toContain(`EADDRINUSE: address already in use 127.0.0.1:${port}`);
  });
});

describe('a start while its parts are away', () => {
  const tokens = tokensFile();
  let postgres: Postgres;
  let rabbitmq: RabbitMq;
  beforeAll(async () => {
    [postgres, rabbitmq] = await Promise.all([testPostgres(), testRabbitMq()]);
  });
  afterAll(async () => {
    await Promise.all([postgres?.stop(), rabbitmq?.stop()]);
    tokens.remove();
  });

  test('waits for the database, goes without the broker, and finishes what it accepted once that is there', async () => {
    const databaseUrl = await postgres.createDatabase({ name: 'orders' });
    postgres.kill('SIGKILL');
    rabbitmq.kill('SIGKILL');
    const starting = startRole({ role: 'all', databaseUrl, amqpUrl: rabbitmq.amqpUrl, tokens: tokens.path });
    await postgres.restart();
    const service = await starting;
    const shop = new Shop(service.url);
    const accepted = await shop.place();
    expect(accepted.status).toBe(202);
    await rabbitmq.restart();
    await eventually(async () => (await shop.get(accepted.body.id)).body.status === 'confirmed', { withinMs: 90_000 });
    expect(await shop.verify()).toMatchObject({ ok: true, accepted: 1, confirmed: 1 });
    expect(await service.stop(60_000)).toEqual({ code: 0, signal: null });
  });
});
