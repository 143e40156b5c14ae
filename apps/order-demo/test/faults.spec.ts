import { catalogue, orderAccepted, orderCompensated, orderPaid, couponGranted, paymentTaken } from '@keelson/contracts';
import { Messaging } from '@keelson/messaging';
import {
  eventually,
  freePort,
  type Postgres,
  type RabbitMq,
  startProcess,
  testPostgres,
  testRabbitMq,
} from '@keelson/testing';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROLES, type Role } from '../src/settings/roles.ts';
import { Load } from './load.ts';
import { type RoleProcess, startRole, tokensFile } from './role-process.ts';
import { Shop } from './shop.ts';

describe('every role a process of its own, under load, while its parts are killed one after the other', () => {
  const tokens = tokensFile();
  const roles = new Map<Role, RoleProcess>();
  let postgres: Postgres;
  let rabbitmq: RabbitMq;
  let databaseUrl: string;
  let load: Load;
  let shop: Shop;
  let port: number;
  let messaging: Messaging;

  const start = async (role: Role) => {
    const env = {
      SWEEP_EVERY_MS: '200',
      ...(role === 'api' ? { PORT: String(port) } : {}),
    };
    roles.set(role, await startRole({ role, databaseUrl, amqpUrl: rabbitmq.amqpUrl, tokens: tokens.path, env }));
  };
  const someMore = async (orders: number) => {
    const wanted = load.accepted.size + orders;
    await eventually(() => load.accepted.size >= wanted, {
      withinMs: 90_000,
      describe: `${orders} more orders accepted`,
    });
  };
  const readiness = async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status;
  const allEnded = () =>
    eventually(
      async () => {
        const verdict = await shop.verify();
        return verdict.ok && verdict.confirmed + verdict.compensated === verdict.accepted && verdict;
      },
      { withinMs: 570_000, everyMs: 250, describe: 'every order has ended' },
    );

  beforeAll(async () => {
    [postgres, rabbitmq, port] = await Promise.all([testPostgres(), testRabbitMq(), freePort()]);
    databaseUrl = await postgres.createDatabase({ name: 'orders' });
    await Promise.all(ROLES.map(start));
    shop = new Shop(`http://127.0.0.1:${port}`);
    load = new Load({ url: shop.url, perSecond: 40, duplicateOneIn: 10, cancelOneIn: 12 });
    messaging = await Messaging.connect({ url: rabbitmq.amqpUrl, service: 'order-demo', catalogue });
  });

  afterAll(async () => {
    await load?.end();
    await messaging?.close();
    await Promise.all([...roles.values()].map((role) => role.stop(0)));
    await Promise.all([postgres?.stop(), rabbitmq?.stop()]);
    tokens.remove();
  });

  test('messages that come twice, late and in another order change nothing', async () => {
    const seen: Parameters<typeof repeat>[0][] = [];
    const repeat = (message: { definition: typeof orderAccepted; payload: never; id: string }) =>
      messaging.publish(message.definition, message.payload, { id: message.id });
    const known = new Set<string>();
    const tap = await messaging.subscribe({
      queue: 'order-demo-test.tap',
      messages: [orderAccepted, orderPaid, orderCompensated, couponGranted, paymentTaken],
      inbox: false,
      handler: async (message) => {
        if (known.has(message.id)) return;
        known.add(message.id);
        seen.push({ definition: message.definition as never, payload: message.payload as never, id: message.id });
      },
    });
    await someMore(60);
    await tap.close();
    // Once as the broker repeats them, once as somebody's copy with an id of its own, from the youngest to the oldest.
    await Promise.all(seen.toReversed().map(repeat));
    await Promise.all(seen.map((message) => messaging.publish(message.definition, message.payload)));
    expect(seen.length).toBeGreaterThan(60);
  });

  const kill = async (role: Role) => {
    const victim = roles.get(role)!;
    victim.kill('SIGKILL');
    expect(await victim.exited).toMatchObject({ signal: 'SIGKILL' });
  };

  test('kill -9 of the api: its customers insist, and get one order each', async () => {
    await kill('api');
    await start('api');
    await someMore(20);
  });

  test('kill -9 of each other role in turn: orders go on being accepted, and are finished when the roles are back', async () => {
    const others = ROLES.filter((role) => role !== 'api');
    for (const role of others) {
      await kill(role);
      await someMore(10);
    }
    await Promise.all(others.map(start));
    await someMore(10);
  });

  test('kill -9 of the broker: orders go on being accepted, the api stays ready', async () => {
    await rabbitmq.queuesKept();
    rabbitmq.kill('SIGKILL');
    await someMore(40);
    expect(await readiness()).toBe(200);
    await rabbitmq.restart();
    await someMore(20);
  });

  test('a disk alarm of the broker, which then takes no message: orders go on being accepted, the api stays ready', async () => {
    await rabbitmq.rabbitmqctl(['set_disk_free_limit', '100000GB']);
    await rabbitmq.alarmIs(true);
    await someMore(20);
    expect(await readiness()).toBe(200);
    await rabbitmq.rabbitmqctl(['set_disk_free_limit', '50MB']);
    await rabbitmq.alarmIs(false);
    await someMore(20);
  });

  test('kill -9 of the database: the api is not ready while it is away, and goes on by itself when it is back', async () => {
    postgres.kill('SIGKILL');
    await eventually(async () => (await readiness()) === 503);
    await postgres.restart();
    await eventually(async () => (await readiness()) === 200);
    await someMore(40);
  });

  test('in the end nothing is lost, doubled or stuck: each order that was answered 202 has ended', async () => {
    await load.end();
    const verdict = await allEnded();
    expect(load.surprises).toEqual([]);
    expect(verdict.accepted).toBeGreaterThanOrEqual(load.accepted.size);
    // Only what was cancelled in time is compensated.
    expect(verdict.confirmed).toBeGreaterThan(verdict.accepted * 0.8);

    const folder = mkdtempSync(join(tmpdir(), 'order-demo-expected-'));
    const file = join(folder, 'ids');
    writeFileSync(file, [...load.accepted].join('\n'));
    const lines: string[] = [];
    const verifier = await startProcess({
      name: 'verify',
      command: [process.execPath, join(import.meta.dirname, '../dist/verify.js')],
      env: { DATABASE_URL: databaseUrl, EXPECTED_IDS_FILE: file, GRACE_SECONDS: '0', NODE_OPTIONS: undefined },
      onLine: (line) => lines.push(line),
    });
    const { code } = await verifier.exited;
    rmSync(folder, { recursive: true });
    expect(lines.at(-1)).toContain('0 lost, 0 doubled, 0 stuck, 0 negative');
    expect(code).toBe(0);
    // A busy machine needs minutes for what the kills left behind; it only bounds what hangs.
  }, 600_000);
});
