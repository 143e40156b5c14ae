import { defineRequest, ProblemError } from '@keelson/contracts';
import { eventually, tcpProxy } from '@keelson/testing';
import { connect } from 'amqplib';
import { z } from 'zod';
import {
  InvalidMessageError,
  InvalidReplyError,
  Messaging,
  NonRetryableError,
  NoReplyError,
  PublishRejectedError,
  queueStates,
  RequestProblem,
  ThrottledError,
  UnroutableError,
  type RespondOptions,
} from '../src/index.ts';
import { memoryLog, Workbench } from './service.ts';

const checkStock = defineRequest({
  name: 'test.check-stock',
  version: 1,
  producer: 'test',
  summary: 'How many of an article are there?',
  schema: z.object({ sku: z.string() }),
  reply: z.object({ sku: z.string(), left: z.number().int() }),
});
const catalogue = { [checkStock.routingKey]: checkStock };
type Handler = RespondOptions<typeof checkStock>['handler'];

describe('a request', () => {
  let bench: Workbench;
  let serial = 0;
  const open: Messaging[] = [];
  beforeAll(async () => (bench = await Workbench.open()));
  beforeEach(() => (serial += 1));
  afterEach(async () => void (await Promise.all(open.splice(0).map((messaging) => messaging.close(300)))));
  afterAll(() => bench.close());

  const connected = async (url = bench.vhost.amqpUrl) => {
    const log = memoryLog();
    const messaging = await Messaging.connect({ url, service: 'test', catalogue, exchange: `request-${serial}`, log });
    open.push(messaging);
    return Object.assign(messaging, { log });
  };
  const responding = async (handler: Handler, options: Partial<RespondOptions<typeof checkStock>> = {}) => {
    const server = await connected();
    await server.respond({ queue: `request.stock-${serial}`, request: checkStock, handler, ...options });
    return server;
  };
  const ask = (messaging: Messaging, sku = 'a', deadlineMs = 60_000) =>
    messaging.request(checkStock, { sku }, { deadlineMs });
  const gate = () => {
    let release: () => void = () => undefined;
    const opened = new Promise<void>((resolve) => (release = resolve));
    return { opened, release };
  };

  test('is answered with a reply of its type', async () => {
    await responding(async ({ sku }) => ({ sku, left: 3 }));
    const client = await connected();
    const { left } = await ask(client, 'shoe');
    expect(left).toBe(3);
  });

  test('waits in a queue that is listed among those of the service, without a parking lot', async () => {
    const queue = `request.stock-${serial}`;
    const server = await responding(async ({ sku }) => ({ sku, left: 3 }));
    const { items } = await queueStates(server);
    expect(items).toContainEqual({ queue, kind: 'requests', ready: 0, consumers: 1, parked: 0 });
    expect(server.queues).not.toContain(queue);
  });

  test('gets its own reply among hundreds at the same time, from several servers', async () => {
    const handler: Handler = async ({ sku }) => ({ sku, left: Number(sku) });
    await responding(handler);
    await responding(handler);
    const client = await connected();
    const replies = await Promise.all(Array.from({ length: 400 }, (_, n) => ask(client, `${n}`)));
    expect(replies.map(({ left }) => left)).toEqual(Array.from({ length: 400 }, (_, n) => n));
  });

  test.each([
    {
      name: 'a problem that the handler throws',
      error: new RequestProblem({ code: 'sold-out', status: 409, title: 'Sold out', detail: 'none left of a' }),
      problem: {
        code: 'sold-out',
        status: 409,
        title: 'Sold out',
        detail: 'none left of a',
        type: 'https://keelson.dev/problems/sold-out',
      },
    },
    {
      name: 'a non-retryable error, under its code',
      error: new NonRetryableError('no such article', { code: 'unknown-sku' }),
      problem: { code: 'unknown-sku', status: 422, detail: 'no such article' },
    },
    {
      name: 'a throttled dependency',
      error: new ThrottledError('warehouse', 1_500),
      problem: { code: 'too-many-requests', status: 429, detail: 'Try again in 1500 ms' },
    },
  ])('is answered with a problem object: $name', async ({ error, problem }) => {
    await responding(async () => {
      throw error;
    });
    const refused = ask(await connected());
    await expect(refused).rejects.toBeInstanceOf(ProblemError);
    await expect(refused).rejects.toMatchObject({ problem, operation: 'request test.check-stock.v1' });
  });

  test('says nothing of a fault inside the server, which logs it', async () => {
    const server = await responding(async () => {
      throw new Error('password of the warehouse is hunter2');
    });
    const error = (await ask(await connected()).catch((caught: unknown) => caught)) as ProblemError;
    expect(error.problem).toMatchObject({ code: 'internal', status: 500 });
    expect(JSON.stringify(error.problem) + error.message).not.toContain('hunter2');
    expect(server.log.lines).toContainEqual(expect.objectContaining({ message: 'request failed', level: 'error' }));
  });

  test('is refused where it does not fit its schema, before it leaves', async () => {
    const client = await connected();
    await expect(client.request(checkStock, {} as never, { deadlineMs: 1_000 })).rejects.toThrow(InvalidMessageError);
  });

  test('is answered with a problem when the handler gives what the reply schema does not take', async () => {
    await responding(async () => ({ sku: 'a', left: 1.5 }));
    await expect(ask(await connected())).rejects.toMatchObject({ problem: { code: 'internal' } });
  });

  test('ends at its deadline, and tells the handler to stop', async () => {
    let reason: unknown;
    const server = await responding(async (_payload, { signal, deadline }) => {
      expect(deadline.getTime() - Date.now()).toBeLessThanOrEqual(400);
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      reason = signal.reason;
      return { sku: 'a', left: 0 };
    });
    const from = performance.now();
    const late = ask(await connected(), 'a', 400);
    await expect(late).rejects.toMatchObject({ code: 'no-reply', mayHaveBeenHandled: true });
    expect(performance.now() - from).toBeGreaterThanOrEqual(395);
    await eventually(() => reason !== undefined);
    // Not answered with a problem, which might come before the caller's own timer.
    const said = () => server.log.lines.map(({ message }) => message);
    await eventually(() => said().includes('request not answered in time'));
    expect(said()).not.toContain('request failed');
  });

  test('past its deadline is dropped unhandled: in the queue by the broker, in the server by the server', async () => {
    const { opened, release } = gate();
    const handled: string[] = [];
    await responding(
      async ({ sku }) => {
        handled.push(sku);
        await opened;
        return { sku, left: 0 };
      },
      { concurrency: 1 },
    );
    const client = await connected();
    const first = ask(client, 'first', 20_000);
    await eventually(() => handled.length === 1);
    await expect(ask(client, 'late', 200)).rejects.toThrow(NoReplyError);
    release();
    await expect(first).resolves.toMatchObject({ sku: 'first' });
    await expect(ask(client, 'last')).resolves.toMatchObject({ sku: 'last' });
    expect(handled).toEqual(['first', 'last']);
    // One that the broker delivered in spite of its age.
    const raw = await connect(bench.vhost.amqpUrl);
    const channel = await raw.createConfirmChannel();
    channel.sendToQueue(`request.stock-${serial}`, Buffer.from('{"sku":"old"}'), {
      replyTo: 'nobody',
      messageId: 'old',
      headers: {
        'cloudEvents:id': 'old',
        'cloudEvents:type': checkStock.type,
        'keelson-deadline': Date.now() - 1,
      },
    });
    await channel.waitForConfirms();
    await raw.close();
    await expect(ask(client, 'end')).resolves.toMatchObject({ sku: 'end' });
    expect(handled).toEqual(['first', 'last', 'end']);
  });

  test('without any server is an error at once, not at the deadline', async () => {
    await expect(ask(await connected(), 'a', 60_000)).rejects.toThrow(UnroutableError);
  });

  test('is refused at once when too many wait already', async () => {
    const { opened, release } = gate();
    let begun = 0;
    const handler: Handler = async ({ sku }) => {
      begun += 1;
      await opened;
      return { sku, left: 0 };
    };
    await responding(handler, { concurrency: 1, maxLength: 2 });
    const client = await connected();
    const first = ask(client, 'running', 20_000);
    await eventually(() => begun === 1);
    const asked = await Promise.allSettled([
      first,
      ...Array.from({ length: 6 }, (_, n) => {
        const request = ask(client, `${n}`, 20_000);
        setTimeout(release, 1_000);
        return request;
      }),
    ]);
    const refused = asked.filter((end) => end.status === 'rejected' && end.reason instanceof PublishRejectedError);
    expect(refused.length).toBeGreaterThanOrEqual(3);
    expect(asked[0]?.status).toBe('fulfilled');
  });

  test('that waits when the connection is lost ends at once, and the next one is answered', async () => {
    const proxy = await tcpProxy(bench.vhost.amqpUrl);
    const { opened, release } = gate();
    let begun = 0;
    await responding(async ({ sku }) => {
      begun += 1;
      if (begun === 1) await opened;
      return { sku, left: 1 };
    });
    const client = await connected(proxy.url(bench.vhost.amqpUrl));
    const lost = ask(client, 'a', 60_000);
    lost.catch(() => undefined);
    await eventually(() => begun === 1);
    proxy.cut();
    await expect(lost).rejects.toMatchObject({ code: 'no-reply', mayHaveBeenHandled: true });
    release();
    await expect(ask(client, 'b', 30_000)).resolves.toEqual({ sku: 'b', left: 1 });
    await proxy.close();
  });

  test('with a reply of another contract is an error that names the field', async () => {
    const server = await connected();
    const lenient = { ...checkStock, reply: z.looseObject({}) };
    const other = await Messaging.connect({
      url: bench.vhost.amqpUrl,
      service: 'test',
      catalogue: { [checkStock.routingKey]: lenient },
      exchange: `request-${serial}`,
      log: memoryLog(),
    });
    open.push(other);
    await other.respond({ queue: `request.stock-${serial}`, request: lenient, handler: async () => ({ sku: 'a' }) });
    await expect(ask(server)).rejects.toThrow(InvalidReplyError);
    await expect(ask(server)).rejects.toThrow(/does not fit its schema: left: /);
  });

  test.each([0, -1, Number.NaN, 600_001, undefined])('is refused with a deadline of %s', async (deadlineMs) => {
    const client = await connected();
    const refused = client.request(checkStock, { sku: 'a' }, { deadlineMs: deadlineMs as number });
    await expect(refused).rejects.toThrow(`deadlineMs is ${deadlineMs}; allowed are 1 to 600000`);
  });

  test('that waits when its program closes ends', async () => {
    const { opened: handled, release: handling } = gate();
    await responding(() => {
      handling();
      return new Promise(() => undefined);
    });
    const client = await connected();
    const waiting = ask(client).catch((error: unknown) => error);
    await handled;
    await client.close(0);
    const failure = (await waiting) as NoReplyError;
    expect(failure.message).toContain('the program is closing');
    expect(failure.mayHaveBeenHandled).toBe(true);
  });

  test('not sent yet when its program closes ends as well, at once', async () => {
    const proxy = await tcpProxy(bench.vhost.amqpUrl);
    try {
      const client = await connected(proxy.url(bench.vhost.amqpUrl));
      // Its reply queue is asked for, and the answer never comes.
      proxy.hangAnswers();
      const waiting = ask(client).catch((error: unknown) => error);
      const closing = client.close(0);
      const failure = (await waiting) as NoReplyError;
      expect(failure.message).toContain('the program is closing');
      expect(failure.mayHaveBeenHandled).toBe(false);
      await closing;
    } finally {
      await proxy.close();
    }
  });
});
