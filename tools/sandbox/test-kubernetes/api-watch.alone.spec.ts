import { type TestCluster, eventually, testCluster } from '@keelson/testing';

import { configMap, event } from './api-objects.ts';
import { type Event, type RawApi, type Watch, rawApi } from './api-raw.ts';

let cluster: TestCluster;
let api: RawApi;
let namespace: string;
let maps: string;
let events: string;
const open: Watch[] = [];

beforeAll(async () => {
  cluster = await testCluster();
  api = rawApi(cluster.kubeconfig);
  namespace = await cluster.namespace();
  maps = `/api/v1/namespaces/${namespace}/configmaps`;
  events = `/api/v1/namespaces/${namespace}/events`;
});
afterEach(() => {
  for (const watch of open.splice(0)) watch.close();
});
afterAll(async () => {
  api.close();
  await cluster.stop();
});

const watch = async (path: string): Promise<Watch> => {
  const watch = await api.watch(path);
  open.push(watch);
  return watch;
};
// The real cluster puts a kube-root-ca.crt into every namespace, at a time of its own.
const mine = ({ object }: Event): boolean => object.metadata.labels?.test !== undefined;
const told = (w: Watch): [string, string][] =>
  w.events.filter(mine).map(({ type, object }) => [type, object.metadata.name]);
const make = async (name: string, test: string): Promise<string> => {
  const { body } = await api.post(maps, configMap(name, {}, { labels: { test } }));
  return body.metadata.resourceVersion;
};

describe('watching', () => {
  test('tells what is there first when no version is given', async () => {
    await make('there', 'first');
    const w = await watch(`${maps}?watch=true&labelSelector=test%3Dfirst`);
    await eventually(() => w.events.length === 1);
    await make('later', 'first');
    await eventually(() => w.events.length === 2);
    expect(told(w)).toEqual([
      ['ADDED', 'there'],
      ['ADDED', 'later'],
    ]);
  });

  test('resumes after a version, telling each change once and in order', async () => {
    const from = await make('resumed', 'resume');
    await api.merge(`${maps}/resumed`, { data: { n: '1' } });
    await api.merge(`${maps}/resumed`, { data: { n: '2' } });
    await api.call('DELETE', `${maps}/resumed`);
    const w = await watch(`${maps}?watch=true&resourceVersion=${from}&labelSelector=test%3Dresume`);
    await eventually(() => w.events.length >= 3);
    expect(w.events.map(({ type, object }) => [type, object.data?.n])).toEqual([
      ['MODIFIED', '1'],
      ['MODIFIED', '2'],
      ['DELETED', '2'],
    ]);
    const versions = w.events.map(({ object }) => Number(object.metadata.resourceVersion));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
  });

  test('tells an object that leaves the selection as deleted, and one that enters it as added', async () => {
    const from = await make('moving', 'in');
    await api.merge(`${maps}/moving`, { metadata: { labels: { test: 'out' } } });
    await api.merge(`${maps}/moving`, { metadata: { labels: { test: 'in' } } });
    const w = await watch(`${maps}?watch=true&resourceVersion=${from}&labelSelector=test%3Din`);
    await eventually(() => w.events.length === 2);
    expect(told(w)).toEqual([
      ['DELETED', 'moving'],
      ['ADDED', 'moving'],
    ]);
  });

  test('watches one object by its name', async () => {
    const from = await make('one', 'name');
    await make('two', 'name');
    await api.merge(`${maps}/one`, { data: { n: '1' } });
    const w = await watch(`${maps}?watch=true&resourceVersion=${from}&fieldSelector=metadata.name%3Done`);
    await eventually(() => w.events.length === 1);
    expect(told(w)).toEqual([['MODIFIED', 'one']]);
  });

  test('sends a bookmark before the asked time is over, and then ends', async () => {
    const from = await make('quiet', 'quiet');
    const selection = 'labelSelector=test%3Dnone&allowWatchBookmarks=true&timeoutSeconds=6';
    const w = await watch(`${maps}?watch=true&${selection}&resourceVersion=${from}`);
    // A change that this watch does not select: only the bookmark tells that it was passed.
    const passed = await make('passed', 'quiet');
    await w.ended;
    const bookmark = w.events.find(({ type }) => type === 'BOOKMARK');
    expect(bookmark?.object).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1' });
    expect(Number(bookmark?.object.metadata.resourceVersion)).toBeGreaterThanOrEqual(Number(passed));
  });

  test('answers a compacted version with an ERROR event of code 410', async () => {
    const { body } = await api.post(events, event('before', namespace));
    for (const name of ['after', 'after-that']) await api.post(events, event(name, namespace));
    await cluster.compact();
    const w = await watch(`${events}?watch=true&resourceVersion=${body.metadata.resourceVersion}`);
    await eventually(() => w.events.length > 0);
    expect(w.events[0]).toMatchObject({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } });
  });

  test('tells both event APIs of one event', async () => {
    const { body } = await api.get(events);
    const from = body.metadata.resourceVersion;
    const core = await watch(`${events}?watch=true&resourceVersion=${from}`);
    const v1 = await watch(`/apis/events.k8s.io/v1/namespaces/${namespace}/events?watch=true&resourceVersion=${from}`);
    await api.post(events, event('twice', namespace));
    await eventually(() => core.events.length > 0 && v1.events.length > 0);
    expect(core.events[0]?.object).toMatchObject({ apiVersion: 'v1', message: expect.any(String) });
    expect(v1.events[0]?.object).toMatchObject({ apiVersion: 'events.k8s.io/v1', note: expect.any(String) });
  });
});

describe('listing', () => {
  test('pages through a list as it was at the first page', async () => {
    for (const n of [1, 2, 3, 4, 5]) await make(`page-${n}`, 'paged');
    const query = 'labelSelector=test%3Dpaged&limit=2';
    const first = (await api.get(`${maps}?${query}`)).body;
    expect(first.items).toHaveLength(2);
    // Written after the first page: no later page has it.
    await make('page-3b', 'paged');
    await api.call('DELETE', `${maps}/page-4`);
    const names: string[] = [];
    let token = first.metadata.continue as string | undefined;
    while (token) {
      const { body } = await api.get(`${maps}?${query}&continue=${encodeURIComponent(token)}`);
      expect(body.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
      names.push(...body.items.map((item: Event['object']) => item.metadata.name));
      token = body.metadata.continue;
    }
    expect(names).toEqual(['page-3', 'page-4', 'page-5']);
  });

  test('says how many are left where no selector hides it', async () => {
    await make('left-1', 'left');
    await make('left-2', 'left');
    const { body: all } = await api.get(maps);
    const { body } = await api.get(`${maps}?limit=1`);
    expect(body.metadata.remainingItemCount).toBe(all.items.length - 1);
  });

  test('lists the state at an exact version', async () => {
    await make('exact', 'exact');
    const { body: before } = await api.get(maps);
    await api.merge(`${maps}/exact`, { data: { n: 'new' } });
    const at = before.metadata.resourceVersion;
    const { body } = await api.get(
      `${maps}?resourceVersion=${at}&resourceVersionMatch=Exact&labelSelector=test%3Dexact`,
    );
    expect(body.items[0].data?.n).toBeUndefined();
    expect(body.metadata.resourceVersion).toBe(at);
  });

  test('answers a compacted version or page with 410', async () => {
    for (const n of [1, 2, 3]) await api.post(events, event(`old-${n}`, namespace));
    const { body: page } = await api.get(`${events}?limit=1`);
    await api.post(events, event('newer', namespace));
    await cluster.compact();
    const exact = await api.get(
      `${events}?resourceVersion=${page.metadata.resourceVersion}&resourceVersionMatch=Exact`,
    );
    expect([exact.status, exact.body.reason]).toEqual([410, 'Expired']);
    const next = await api.get(`${events}?limit=1&continue=${encodeURIComponent(page.metadata.continue)}`);
    expect([next.status, next.body.reason]).toEqual([410, 'Expired']);
    // The refusal carries a token that goes on from now, for who can live with that.
    const rest = await api.get(`${events}?continue=${encodeURIComponent(next.body.metadata.continue)}`);
    expect([rest.status, rest.body.items.length > 0]).toEqual([200, true]);
  });

  test('refuses a version that is still to come, and says when to ask again', async () => {
    const { status, body } = await api.get(`${maps}?resourceVersion=99999999999`);
    expect([status, body.reason, body.details.retryAfterSeconds]).toEqual([504, 'Timeout', 1]);
    expect(body.details.causes[0].reason).toBe('ResourceVersionTooLarge');
  });

  test('takes version 0 for whatever is at hand', async () => {
    expect((await api.get(`${maps}?resourceVersion=0`)).status).toBe(200);
  });

  test('answers in columns when a Table is asked for', async () => {
    await api.post(maps, configMap('columns', { a: '1', b: '2' }));
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
    const { body } = await api.get(`${maps}?fieldSelector=metadata.name%3Dcolumns`, { accept });
    expect(body.kind).toBe('Table');
    expect(body.columnDefinitions.map((c: { name: string }) => c.name)).toEqual(['Name', 'Data', 'Age']);
    expect(body.rows[0].cells.slice(0, 2)).toEqual(['columns', 2]);
    expect(body.rows[0].object.kind).toBe('PartialObjectMetadata');
  });
});
