import type { DeadLetter, Gap, JournalEvent, Sink } from '@keelson/contracts';
import { Database } from '@keelson/persistence';
import { eventually, testDatabase, testVhost, type TestDatabase, type TestVhost } from '@keelson/testing';
import { aNewEntry } from '../src/journal/entry.builder.ts';
import { GapLedger } from '../src/journal/gap-ledger.ts';
import { Journal } from '../src/journal/journal.ts';
import { Receiver } from './support/receiver.ts';
import { aWebhook, anAlert, eventRelay, type EventRelay } from './support/service.ts';

interface Page<T> {
  items: T[];
  next?: string;
}

let place: TestDatabase;
let vhost: TestVhost;
let receiver: Receiver;
let service: EventRelay;
/** A second way into the service's database, to put there what no operation does. */
let database: Database;
let journal: Journal;

beforeAll(async () => {
  [place, vhost, receiver] = await Promise.all([testDatabase(), testVhost(), Receiver.start()]);
  receiver.answer = (message) => (message.startsWith('refuse') ? 422 : 200);
  receiver.refusal = { headers: {}, body: 'will not' };
  service = await eventRelay({
    databaseUrl: place.url,
    amqpUrl: vhost.amqpUrl,
    rules: `sinks: [{ name: hook, match: { excludeReasons: [Search] }, webhook: { url: "${receiver.url}" } }]`,
  });
  database = await Database.open({ url: place.url, name: 'test', migrations: [] });
  journal = new Journal(database);
});

afterAll(async () => {
  await service?.stop();
  await database?.close();
  await Promise.all([receiver?.stop(), place?.drop(), vhost?.delete()]);
});

const search = async (query: string, token?: string): Promise<JournalEvent[]> => {
  const { status, body } = await service.call<Page<JournalEvent>>(
    'GET',
    `/v1/events?${query}`,
    token === undefined ? {} : { token },
  );
  expect({ status, detail: body.detail }).toEqual({ status: 200, detail: undefined });
  return body.items;
};
const messages = async (query: string, token?: string) => (await search(query, token)).map(({ message }) => message);

describe('who may do what', () => {
  const operations = [
    { method: 'GET', path: '/v1/events', needs: 'events:read' },
    { method: 'GET', path: '/v1/sinks', needs: 'events:read' },
    { method: 'GET', path: '/v1/gaps', needs: 'events:read' },
    { method: 'GET', path: '/v1/dead-letters', needs: 'events:read' },
    { method: 'POST', path: '/v1/alertmanager', needs: 'events:write' },
    { method: 'POST', path: '/v1/sinks/hook/replay', needs: 'events:replay' },
    { method: 'POST', path: '/v1/dead-letters/0190a5f0-0000-7000-8000-000000000007/redrive', needs: 'events:replay' },
  ];
  test.each(operations)('$method $path needs a token with $needs', async ({ method, path, needs }) => {
    const json = method === 'POST' ? {} : undefined;
    expect((await service.call(method, path, { token: null, json })).body).toMatchObject({ code: 'unauthenticated' });
    expect((await service.call(method, path, { token: 'guess', json })).status).toBe(401);
    const others = needs === 'events:read' ? 'alertmanager-token' : 'reader-token';
    expect((await service.call(method, path, { token: others, json })).body).toMatchObject({
      status: 403,
      code: 'scope-missing',
      detail: expect.stringContaining(needs),
    });
  });
});

describe('a search', () => {
  const at = (minute: number) => `2026-03-01T12:${String(minute).padStart(2, '0')}:00.000Z`;
  const entry = (message: string, changes: Parameters<typeof aNewEntry>[0] = {}) =>
    aNewEntry({ message, reason: 'Search', ...changes });

  beforeAll(async () => {
    const pod = (name: string) => ({ kind: 'Pod', namespace: 'search', name });
    await journal.append([
      entry('alpha 100 %', { object: pod('shop-v1-a'), lastSeen: at(1), type: 'Normal' }),
      entry('beta_under', { object: pod('shop-v2-b'), lastSeen: at(2), labels: { app: 'shop', tier: 'web' } }),
      entry('betaXunder', { object: pod('shop_v2-c'), lastSeen: at(3), labels: { app: 'shop' } }),
      entry('Gamma', { object: { kind: 'Deployment', namespace: 'search', name: 'shop' }, lastSeen: at(4) }),
      entry('red only', { object: pod('p'), lastSeen: at(5), source: 'platform', team: 'red' }),
      entry('an alert', { object: pod('q'), lastSeen: at(6), source: 'alertmanager', team: 'red' }),
    ]);
  });

  const cases = [
    { query: 'order=asc', finds: ['alpha 100 %', 'beta_under', 'betaXunder', 'Gamma', 'red only', 'an alert'] },
    { query: '', finds: ['an alert', 'red only', 'Gamma', 'betaXunder', 'beta_under', 'alpha 100 %'] },
    { query: 'type=Normal', finds: ['alpha 100 %'] },
    { query: 'kind=Deployment', finds: ['Gamma'] },
    { query: 'name=shop', finds: ['Gamma'] },
    { query: 'namePrefix=shop-v', finds: ['beta_under', 'alpha 100 %'] },
    { query: 'namePrefix=shop_', finds: ['betaXunder'] },
    { query: 'text=BETA_', finds: ['beta_under'] },
    { query: 'text=100%20%25', finds: ['alpha 100 %'] },
    { query: 'text=%5C', finds: [] },
    { query: 'labelSelector=app%3Dshop', finds: ['betaXunder', 'beta_under'] },
    { query: 'labelSelector=app%3D%3Dshop,tier%3Dweb', finds: ['beta_under'] },
    { query: 'labelSelector=app%3D', finds: [] },
    { query: 'source=platform', finds: ['red only'] },
    { query: 'source=http', finds: [] },
    { query: `since=${at(3)}&until=${at(4)}`, finds: ['Gamma', 'betaXunder'] },
    { query: 'until=0000-01-01T00:00:00Z', finds: [] },
    { query: 'since=9999-12-31T23:59:59Z', finds: [] },
    { query: 'type=Warning&kind=Pod&namePrefix=shop-v2', finds: ['beta_under'] },
  ];
  test.each(cases)('for "$query" finds $finds', async ({ query, finds }) => {
    expect(await messages(`namespace=search&reason=Search&${query}`)).toEqual(finds);
  });

  test('shows a team its own platform messages, the cluster’s events and alerts, and no other team’s', async () => {
    const query = 'namespace=search&kind=Pod&limit=2';
    expect(await messages(query, 'red-token')).toEqual(['an alert', 'red only']);
    expect(await messages(query, 'reader-token')).toEqual(['an alert', 'betaXunder']);
    const [red] = await search('namespace=search&source=platform');
    const path = `/v1/events/${red!.id}`;
    expect((await service.call<JournalEvent>('GET', path, { token: 'red-token' })).body.message).toBe('red only');
    expect((await service.call('GET', path, { token: 'reader-token' })).body).toMatchObject({ code: 'not-found' });
  });

  test.each(['asc', 'desc'])('page by page (%s) gives every row once', async (order) => {
    const whole = await messages(`namespace=search&order=${order}`);
    const paged: string[] = [];
    let cursor: string | undefined;
    do {
      const more = cursor === undefined ? '' : `&cursor=${cursor}`;
      const { body } = await service.call<Page<JournalEvent>>(
        'GET',
        `/v1/events?namespace=search&order=${order}&limit=4${more}`,
      );
      paged.push(...body.items.map(({ message }) => message));
      cursor = body.next;
    } while (cursor !== undefined);
    expect(paged).toEqual(whole);
  });

  test('followed live by `after` gives what came since, once', async () => {
    let after = (await search('namespace=live')).at(-1)?.sequence ?? 0;
    const followed: string[] = [];
    const follow = async () => {
      const items = await search(`namespace=live&after=${after}&order=asc&limit=2`);
      after = items.at(-1)?.sequence ?? after;
      followed.push(...items.map(({ message }) => message));
    };
    const object = { kind: 'Pod', namespace: 'live', name: 'p' };
    for (const batch of [['1'], ['2', '3', '4'], []]) {
      await journal.append(batch.map((message) => entry(message, { object })));
      await follow();
      await follow();
    }
    expect(followed).toEqual(['1', '2', '3', '4']);
  });

  const faults = [
    { query: 'limit=0', pointer: 'query/limit' },
    { query: 'limit=501', pointer: 'query/limit' },
    { query: 'type=Warn', pointer: 'query/type' },
    { query: 'order=up', pointer: 'query/order' },
    { query: 'since=yesterday', pointer: 'query/since' },
    { query: 'since=2026-13-01T00:00:00Z', pointer: 'query/since' },
    { query: 'after=-1', pointer: 'query/after' },
    { query: 'after=99999999999999999999', pointer: 'query/after' },
    { query: 'nmespace=x', pointer: 'query/nmespace' },
    { query: 'text=%00', pointer: 'query/text' },
    { query: `text=${'x'.repeat(257)}`, pointer: 'query/text' },
    { query: 'labelSelector=app!%3Dshop', pointer: 'query/labelSelector' },
    { query: `cursor=${Buffer.from('99999999999999999999').toString('base64url')}`, pointer: 'query/cursor' },
    { query: `cursor=${Buffer.from("1' OR true").toString('base64url')}`, pointer: 'query/cursor' },
    { query: 'cursor=%25', pointer: 'query/cursor' },
  ];
  test.each(faults)('with $query is refused, naming $pointer', async ({ query, pointer }) => {
    const { body, headers } = await service.call('GET', `/v1/events?${query}`);
    expect(body).toMatchObject({ status: 422, code: 'invalid-request', errors: [{ pointer }] });
    expect(headers.get('content-type')).toContain('application/problem+json');
  });

  test('for an id that is none, or that nobody has', async () => {
    expect((await service.call('GET', '/v1/events/nonsense')).body).toMatchObject({ status: 422 });
    expect((await service.call('GET', '/v1/events/0190a5f0-0000-7000-8000-000000000007')).body).toMatchObject({
      status: 404,
      code: 'not-found',
    });
  });
});

describe("Alertmanager's webhook", () => {
  const post = (body: unknown, token = 'alertmanager-token') =>
    service.call<{ accepted: number }>('POST', '/v1/alertmanager', { token, json: body });
  const alerts = () => search('source=alertmanager&namespace=alerts&order=asc');
  const alert = (changes: object = {}, labels: Record<string, string> = {}) =>
    anAlert(changes, { namespace: 'alerts', ...labels });

  test('stores an alert once for each of its states, whatever its offset from UTC, and sinks get it', async () => {
    expect(
      await post(aWebhook([alert(), alert({ fingerprint: 'beef' }, { pod: 'shop-1', severity: 'info' })])),
    ).toEqual(expect.objectContaining({ status: 202, body: { accepted: 2 } }));
    await post(aWebhook([alert()]));
    const resolved = { status: 'resolved', endsAt: '2026-03-01T14:05:00.5+02:00' };
    await post(aWebhook([alert(resolved)], { status: 'resolved' }));
    expect(await alerts()).toMatchObject([
      {
        type: 'Warning',
        reason: 'HighErrorRate',
        message: 'one in ten requests fails',
        cluster: 'test',
        reporter: 'alertmanager/keelson',
        object: { kind: 'Alert', namespace: 'alerts', name: 'HighErrorRate' },
        labels: { severity: 'critical' },
        firstSeen: '2026-03-01T12:00:00.000Z',
      },
      { type: 'Normal', object: { kind: 'Pod', namespace: 'alerts', name: 'shop-1' } },
      { type: 'Normal', reason: 'HighErrorRateResolved', lastSeen: '2026-03-01T12:05:00.500Z' },
    ]);
    await eventually(() => receiver.got.filter(({ subject }) => subject.startsWith('alerts/')).length === 3);
  });

  test('takes labels of any length and times of any kind', async () => {
    const long = 'x'.repeat(20_000);
    const odd = alert({ fingerprint: long, startsAt: '0000-00-00' }, { alertname: long, pod: long, odd: 'a\0b' });
    expect((await post(aWebhook([odd]))).status).toBe(202);
    expect(await search(`namespace=alerts&name=${'x'.repeat(253)}`)).toMatchObject([{ labels: { odd: 'a\uFFFDb' } }]);
  });

  test('says what Alertmanager itself had left out', async () => {
    await post(aWebhook([], { truncatedAlerts: 12 }));
    expect(await search('reason=AlertsTruncated')).toMatchObject([{ message: expect.stringContaining('12 alerts') }]);
  });

  const faults = [
    { name: 'of another version', body: aWebhook([], { version: '3' }), pointer: '/version' },
    { name: 'without alerts', body: { version: '4' }, pointer: '/groupKey' },
    {
      name: 'with an alert without labels',
      body: aWebhook([{ ...alert(), labels: undefined }]),
      pointer: '/alerts/0/labels',
    },
    {
      name: 'with more alerts than it takes',
      body: aWebhook(Array.from({ length: 1001 }, () => alert())),
      pointer: '/alerts',
    },
    { name: 'that is a text', body: 'alerts', pointer: '' },
  ];
  test.each(faults)('refuses a body $name, naming "$pointer"', async ({ body, pointer }) => {
    const answer = await post(body);
    expect(answer.body).toMatchObject({ status: 422, code: 'invalid-request' });
    expect(answer.body.errors?.map((error) => error.pointer)).toContain(pointer);
  });
});

describe('sinks, dead letters and replay', () => {
  const object = { kind: 'Pod', namespace: 'dead', name: 'p' };
  const letters = async (query = '', token?: string) =>
    (await service.call<Page<DeadLetter>>('GET', `/v1/dead-letters?${query}`, token === undefined ? {} : { token }))
      .body;

  beforeAll(async () => {
    const names = ['refuse 1', 'refuse 2', 'refuse 3'];
    await journal.append([
      ...names.map((message) => aNewEntry({ message, object })),
      aNewEntry({ message: 'refuse red', object, source: 'platform', team: 'red' }),
    ]);
    await eventually(async () => (await letters()).items.length === 4);
  });

  test('every sink is listed with where it stands', async () => {
    const { body } = await service.call<Page<Sink>>('GET', '/v1/sinks');
    expect(body.items).toEqual([
      expect.objectContaining({ name: 'hook', kind: 'webhook', state: 'delivering', deadLetters: 4 }),
    ]);
  });

  test('dead letters come page by page, newest first, with the reason; a team sees those of what it may see', async () => {
    const first = await letters('limit=3');
    const rest = await letters(`limit=3&cursor=${first.next}`);
    expect([...first.items, ...rest.items].map(({ event }) => event.message)).toEqual([
      'refuse red',
      'refuse 3',
      'refuse 2',
      'refuse 1',
    ]);
    expect(first.items[0]).toMatchObject({ sink: 'hook', reason: 'HTTP 422: will not', attempts: 1 });
    expect(rest.next).toBeUndefined();
    expect((await letters('sink=other')).items).toEqual([]);
    expect((await letters('', 'red-token')).items).toHaveLength(4);
    expect((await letters('', 'reader-token')).items.map(({ event }) => event.message)).not.toContain('refuse red');
    const odd = await service.call(
      'GET',
      `/v1/dead-letters?cursor=${Buffer.from('-'.repeat(36)).toString('base64url')}`,
    );
    expect(odd.body).toMatchObject({ status: 422, errors: [{ pointer: 'query/cursor' }] });
  });

  test('one is tried again on demand, and is gone once the sink has it', async () => {
    const [letter] = (await letters()).items.filter(({ event }) => event.message === 'refuse 1');
    const redrive = () => service.call<{ outcome: string }>('POST', `/v1/dead-letters/${letter!.id}/redrive`);
    expect((await redrive()).body).toEqual({ outcome: 'rejected', reason: 'HTTP 422: will not' });
    receiver.answer = () => 200;
    expect(await redrive()).toMatchObject({ status: 200, body: { outcome: 'delivered' } });
    expect((await redrive()).body).toMatchObject({ status: 404, code: 'not-found' });
  });

  test('a replay counts first, then delivers, and takes dead letters with it', async () => {
    receiver.answer = () => 200;
    const replay = (json: object, sink = 'hook') =>
      service.call<{ count: number }>('POST', `/v1/sinks/${sink}/replay`, { json });
    const range = { since: '2026-03-01T00:00:00Z', until: '2026-03-02T00:00:00Z' };
    const { body } = await replay({ ...range, dryRun: true });
    expect(body.count).toBeGreaterThanOrEqual(4);
    const before = receiver.got.length;
    expect(await replay(range)).toMatchObject({ status: 202, body });
    await eventually(() => receiver.got.length === before + body.count);
    await eventually(async () => (await letters()).items.length === 0);
    expect(
      (await replay({ since: '2026-03-01', until: 3, dry: true })).body.errors?.map(({ pointer }) => pointer),
    ).toEqual(['/since', '/until', '/dry']);
    expect((await replay(range, 'no-such-sink')).body).toMatchObject({
      status: 404,
      detail: 'there is no sink no-such-sink',
    });
    expect((await replay({ since: '2999-01-01T00:00:00Z' })).body).toEqual({ count: 0 });
  });
});

test('the loss ledger is listed page by page, newest first', async () => {
  const ledger = new GapLedger(database, journal);
  for (const minute of [0, 10, 20]) {
    const time = (second: number) => new Date(Date.UTC(2026, 2, 1, 12, minute, second));
    await ledger.record({
      cluster: 'c',
      cause: 'expired-resource-version',
      from: time(0),
      to: time(9),
      detail: `${minute}`,
    });
  }
  const first = await service.call<Page<Gap>>('GET', '/v1/gaps?limit=2');
  const rest = await service.call<Page<Gap>>('GET', `/v1/gaps?limit=2&cursor=${first.body.next}`);
  expect([...first.body.items, ...rest.body.items].map(({ detail }) => detail)).toEqual(['20', '10', '0']);
});

test('what it does shows in the metrics', async () => {
  await eventually(async () => {
    const text = await (await fetch(`${service.url}/metrics`)).text();
    return [
      /^keelson_events_received_total\{source="alertmanager"\} [1-9]/m,
      /^keelson_sink_delivered_total\{sink="hook"\} [1-9]/m,
      /^keelson_sink_filtered_total\{sink="hook"\} [1-9]/m,
      /^keelson_sink_dead_letters_total\{sink="hook"\} 4$/m,
      /^keelson_sink_lag_events\{sink="hook"\} \d+$/m,
    ].every((line) => line.test(text));
  });
});
