import { eventually } from '@keelson/testing';
import { connect } from 'amqplib';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { orderPlaced } from './messages.ts';
import { Workbench } from './service.ts';

describe('a process that is told to end by SIGTERM', () => {
  const queue = 'shutdown.orders';
  const exchange = 'shutdown';
  let bench: Workbench;
  let child: ChildProcess | undefined;
  beforeAll(async () => (bench = await Workbench.open()));
  afterAll(async () => {
    child?.kill('SIGKILL');
    await bench.close();
  });

  test('lets its handlers end, gives back at once what has not begun, and leaves with exit code 0', async () => {
    let out = '';
    const program = spawn(
      process.execPath,
      ['--import', './test/typescript.mjs', '--conditions=keelson-source', './test/terminated-consumer.ts'],
      {
        cwd: new URL('..', import.meta.url),
        env: { PATH: process.env['PATH'], AMQP_URL: bench.vhost.amqpUrl, EXCHANGE: exchange, QUEUE: queue },
        stdio: ['pipe', 'pipe', 'inherit'],
      },
    );
    child = program;
    program.stdout.on('data', (data) => (out += String(data)));
    const model = await connect(bench.vhost.amqpUrl);
    const there = async () => {
      const channel = await model.createChannel();
      channel.on('error', () => undefined);
      const { messageCount, consumerCount } = await channel.checkQueue(queue);
      await channel.close();
      return { waiting: messageCount, consumers: consumerCount };
    };
    await eventually(async () => (await there()).consumers === 1);
    const messaging = await bench.messaging({ exchange });
    for (const id of ['a', 'b', 'c', 'd', 'e', 'f'])
      await messaging.publish(orderPlaced, { orderId: id, amount: 1 }, { id });
    await eventually(() => out === 'began a\nbegan b\n');
    await eventually(async () => (await there()).waiting === 0);

    const ended = once(program, 'exit');
    program.kill('SIGTERM');
    await eventually(async () => (await there()).waiting === 4);
    program.stdin.write('go\n');
    expect(await ended).toEqual([0, null]);
    expect(out).toBe('began a\nbegan b\nended a\nended b\n');
    expect(await there()).toEqual({ waiting: 4, consumers: 0 });

    const others: string[] = [];
    await messaging.subscribe({ queue, messages: [orderPlaced], handler: async ({ id }) => void others.push(id) });
    await eventually(() => others.length === 4);
    expect(others.toSorted()).toEqual(['c', 'd', 'e', 'f']);
    await model.close();
  });
});
