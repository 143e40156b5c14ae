import { eventually, telegramStandIn, type TelegramStandIn } from '@keelson/testing';
import fc from 'fast-check';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { anEntry, aNewEntry } from '../src/journal/entry.builder.ts';
import { makeSink } from '../src/sinks/make-sink.ts';
import { Receiver } from './support/receiver.ts';
import { aRule, Relay } from './support/relay.ts';

const forever = new AbortController().signal;

describe('the webhook', () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await Receiver.start();
  });
  afterEach(async () => {
    receiver.release();
    await receiver.stop();
  });

  const deliver = async (options = '') => {
    const sink = makeSink(aRule(`{ name: hook, webhook: { url: "${receiver.url}" ${options} } }`));
    const [outcome] = await sink.deliver([anEntry()], forever);
    await sink.close();
    return outcome!;
  };

  test('gets a CloudEvent, with the headers of the configuration', async () => {
    process.env['RELAY_TEST_SECRET'] = 'Bearer abc';
    const outcome = await deliver(', headers: { authorization: { env: RELAY_TEST_SECRET }, x-team: ops }');
    delete process.env['RELAY_TEST_SECRET'];
    expect(outcome).toEqual({ kind: 'delivered' });
    expect(receiver.headers[0]).toMatchObject({
      authorization: 'Bearer abc',
      'x-team': 'ops',
      'content-type': 'application/cloudevents+json; charset=utf-8',
    });
    expect(receiver.got[0]).toMatchObject({
      specversion: '1.0',
      id: anEntry().id,
      type: 'dev.keelson.event.kubernetes.v1',
      subject: 'shop/Pod/shop-v2-7d9f8c6b5-x2x4z',
      data: { reason: 'BackOff' },
    });
    expect(receiver.got[0]!.data).not.toHaveProperty('original');
  });

  const answers: { status: number; headers: Record<string, string>; outcome: object }[] = [
    { status: 204, headers: {}, outcome: { kind: 'delivered' } },
    { status: 400, headers: {}, outcome: { kind: 'rejected', reason: 'HTTP 400: said' } },
    { status: 413, headers: {}, outcome: { kind: 'rejected' } },
    { status: 429, headers: { 'retry-after': '7' }, outcome: { kind: 'retry', afterMs: 7_000 } },
    { status: 429, headers: { 'retry-after': '99999999999' }, outcome: { kind: 'retry', afterMs: 3_600_000 } },
    {
      status: 503,
      headers: { 'retry-after': 'Thu, 01 Jan 1970 00:00:00 GMT' },
      outcome: { kind: 'retry', afterMs: 0 },
    },
    { status: 503, headers: { 'retry-after': 'soon' }, outcome: { kind: 'retry', afterMs: undefined } },
    { status: 500, headers: {}, outcome: { kind: 'retry', afterMs: undefined, reason: 'HTTP 500: said' } },
  ];
  test.each(answers)('answers $status $headers: $outcome', async ({ status, headers, outcome }) => {
    receiver.answer = () => status;
    receiver.refusal = { headers, body: 'said' };
    expect(await deliver()).toMatchObject(outcome);
  });

  test('is followed nowhere else: a redirect is a fault of the configuration, told and tried again', async () => {
    const elsewhere = await Receiver.start();
    receiver.answer = () => 307;
    receiver.refusal = { headers: { location: elsewhere.url }, body: '' };
    expect(await deliver()).toMatchObject({ kind: 'retry', reason: expect.stringContaining('set the final URL') });
    expect(elsewhere.headers).toEqual([]);
    await elsewhere.stop();
  });

  test('that does not answer in time is tried again, and of a long refusal only the beginning is told', async () => {
    receiver.answer = () => 'hang';
    expect(await deliver(', timeoutMs: 100')).toMatchObject({ kind: 'retry', reason: 'no answer within 100 ms' });
    receiver.answer = () => 422;
    receiver.refusal = { headers: {}, body: 'x'.repeat(1_000_000) };
    const refused = await deliver();
    expect((refused as { reason: string }).reason).toHaveLength('HTTP 422: '.length + 500);
  });

  test('whose name has several addresses, none of which answers, says why', async () => {
    const sink = makeSink(aRule('{ name: hook, webhook: { url: "http://localhost:9/x" } }'));
    const [outcome] = await sink.deliver([anEntry()], forever);
    expect(outcome).toMatchObject({ kind: 'retry', reason: expect.stringMatching(/ECONNREFUSED/) });
    await sink.close();
  });
});

describe('Telegram', () => {
  let telegram: TelegramStandIn;
  beforeEach(async () => {
    telegram = await telegramStandIn();
  });
  afterEach(() => telegram.stop());

  const rule = (options: { token?: string; apiUrl?: string; paceMs?: number } = {}) =>
    aRule(
      `{ name: group, telegram: { apiUrl: "${options.apiUrl ?? telegram.url}", token: "${options.token ?? telegram.token}", chatId: "${telegram.chats[0]!.id}", paceMs: ${options.paceMs ?? 0} } }`,
    );
  const deliver = async (options?: Parameters<typeof rule>[0]) =>
    (await makeSink(rule(options)).deliver([anEntry()], forever))[0]!;

  test('takes whatever an event says, and shows it as it was said', async () => {
    const sink = makeSink(rule());
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ unit: fc.constantFrom(...Array.from('_*[]()~`>#+-=|{}.!\\ab\n')), maxLength: 2500 }),
      fc.constantFrom('😀'.repeat(3000), '\\'.repeat(5000), '`'.repeat(5000)),
    );
    await fc.assert(
      fc.asyncProperty(text, text, text, async (message, reason, name) => {
        const entry = anEntry({ message, reason, node: name, reporter: name, object: { kind: 'Pod', name } });
        expect(await sink.deliver([entry], forever)).toEqual([{ kind: 'delivered' }]);
        const shown = telegram.messages.at(-1)!.text;
        expect(shown.length).toBeLessThanOrEqual(4096);
        if (message.length <= 2000) expect(shown).toContain(message);
        if (name !== '' && name.length <= 256) expect(shown).toContain(`Host: ${name}\n`);
      }),
      { numRuns: 150 },
    );
    expect(telegram.calls.every(({ status }) => status === 200)).toBe(true);
  });

  test('is obeyed when it says "later", and nothing comes twice', async () => {
    const relay = await Relay.open();
    telegram.failNext({ kind: 'too-many-requests', retryAfterSeconds: 1 });
    await relay.courier(rule());
    await relay.journal.append([aNewEntry({ message: 'first' }), aNewEntry({ message: 'second' })]);
    await relay.through('group');
    expect(telegram.messages.map(({ text }) => text.split('\n')[1])).toEqual(['first', 'second']);
    expect(telegram.calls.map((call) => call.status)).toEqual([429, 200, 200]);
    const [limited, taken] = telegram.messages.map(({ at }) => Date.parse(at)) as [number, number];
    expect(taken).toBeGreaterThanOrEqual(limited);
    await relay.close();
  });

  test('gets messages no faster than its pace, which is no failure', async () => {
    const sink = makeSink(rule({ paceMs: 5_000 }));
    expect(await sink.deliver([anEntry()], forever)).toEqual([{ kind: 'delivered' }]);
    const [second] = await sink.deliver([anEntry()], forever);
    expect(second).toMatchObject({ kind: 'retry', reason: '' });
    expect((second as { afterMs: number }).afterMs).toBeGreaterThan(4_000);
    expect(telegram.messages).toHaveLength(1);
  });

  const faults = [
    { status: 403, description: 'Forbidden: bot was kicked from the supergroup chat' },
    { status: 400, description: 'Bad Request: chat not found' },
    { status: 400, description: 'Bad Request: message thread not found' },
    { status: 400, description: 'Bad Request: not enough rights to send text messages to the chat' },
  ];
  test.each(faults)('that refuses the chat ($description) loses nothing', async (fault) => {
    telegram.failNext({ kind: 'answer', ...fault });
    expect(await deliver()).toMatchObject({
      kind: 'retry',
      reason: `Telegram refuses: ${fault.description}; check token and chat`,
    });
  });

  test('whose chat has moved says where to', async () => {
    telegram.failNext({
      kind: 'answer',
      status: 400,
      description: 'Bad Request: group chat was upgraded to a supergroup chat',
      parameters: { migrate_to_chat_id: -1009 },
    });
    expect(await deliver()).toMatchObject({ kind: 'retry', reason: expect.stringContaining('the chat is now -1009') });
  });

  test('that cannot take one text refuses only that one', async () => {
    telegram.failNext({ kind: 'answer', status: 400, description: "Bad Request: can't parse entities: x" });
    expect(await deliver()).toMatchObject({ kind: 'rejected' });
  });

  test('may have a slash at the end of its address', async () => {
    expect(await deliver({ apiUrl: `${telegram.url}/` })).toEqual({ kind: 'delivered' });
  });

  const wrong = '123456:AAAAsecretsecretsecretsecretsecret00';
  test('with a wrong token loses nothing, and the token stands in no error', async () => {
    const relay = await Relay.open();
    const courier = await relay.courier(rule({ token: wrong }));
    await relay.append(['wait for me']);
    const state = await eventually(() => (courier.state.kind === 'retrying' ? courier.state : undefined));
    expect(state.reason).toContain('check token and chat');
    expect(state.reason).not.toContain('secret');
    expect(await relay.deadLetters.list({ limit: 1 })).toEqual([]);
    await relay.close();
  });

  /** Servers that fail in ways whose errors like to name the URL, which has the token in it. */
  const broken = [
    { name: 'refuses the connection', listener: undefined },
    { name: 'answers with no HTTP', listener: (socket: { end(text: string): void }) => socket.end('nonsense\r\n\r\n') },
    { name: 'closes at once', listener: (socket: { destroy(): void }) => socket.destroy() },
  ];
  test.each(broken)('that $name is tried again, and the token stands in no error', async ({ listener }) => {
    const server = createServer();
    if (listener !== undefined) server.on('connection', listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    if (listener === undefined) server.close();
    const outcome = await deliver({ apiUrl, token: wrong });
    expect(outcome).toMatchObject({ kind: 'retry' });
    expect((outcome as { reason: string }).reason).not.toBe('');
    expect(JSON.stringify(outcome)).not.toContain('secret');
    server.close();
  });

  test('that answers with a redirect or with HTML is tried again, and the token goes nowhere else', async () => {
    const seen: string[] = [];
    const server = createServer((request, response) => {
      seen.push(request.url!);
      if (request.url!.startsWith('/login')) response.writeHead(200).end('<html>');
      else response.writeHead(302, { location: '/login' }).end('<html>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (const base of [apiUrl, `${apiUrl}/login`]) {
      const outcome = await deliver({ apiUrl: base, token: wrong });
      expect(outcome).toMatchObject({ kind: 'retry' });
      expect(JSON.stringify(outcome)).not.toContain('secret');
    }
    expect(seen).toHaveLength(2);
    server.closeAllConnections();
    server.close();
  });
});

describe('a sink cannot be made', () => {
  const faults = [
    {
      name: 'where the environment lacks its secret',
      yaml: '{ name: a, telegram: { chatId: 1, token: { env: RELAY_TEST_NOT_SET } } }',
      says: 'sink a: telegram.token: the environment has no RELAY_TEST_NOT_SET',
    },
    {
      name: 'where the file of its secret is missing',
      yaml: '{ name: a, webhook: { url: "http://h", headers: { authorization: { file: /nowhere/secret } } } }',
      says: 'sink a: webhook.headers.authorization: /nowhere/secret cannot be read: ENOENT',
    },
    {
      name: 'of a token that is none',
      yaml: '{ name: a, telegram: { chatId: 1, token: "not-a-token" } }',
      says: 'sink a: telegram.token is no token of a bot',
    },
    {
      name: 'of a header with a line break',
      yaml: '{ name: a, webhook: { url: "http://h", headers: { x: "not-a-token\\nx: y" } } }',
      says: 'sink a: webhook.headers.x has a line break',
    },
  ];
  test.each(faults)('$name', ({ yaml, says }) => {
    expect(() => makeSink(aRule(yaml))).toThrow(says);
    expect(() => makeSink(aRule(yaml))).not.toThrow('not-a-token');
  });
});
