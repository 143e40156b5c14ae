import {
  accessFromKubeconfig,
  KubernetesClient,
  KubernetesUnreachableError,
  resources,
  type ConfigMap,
} from '@keelson/kubernetes';
import { eventually, testCluster, type TestCluster } from '@keelson/testing';
import { isWatch, startFaultyProxy, type Fault, type FaultyProxy, type SeenRequest } from './faulty-proxy.ts';
import { record, stopRecorders, type Recorder } from './recorder.ts';

let cluster: TestCluster;
let direct: KubernetesClient;
let proxy: FaultyProxy;
let client: KubernetesClient;
let namespace: string;

beforeAll(async () => {
  cluster = await testCluster();
  direct = KubernetesClient.fromKubeconfig(cluster.kubeconfig);
});
beforeEach(async () => {
  namespace = await cluster.namespace();
  proxy = await startFaultyProxy(accessFromKubeconfig(cluster.kubeconfig));
  client = new KubernetesClient(proxy.access);
});
afterEach(async () => {
  await stopRecorders();
  client.close();
  await proxy.close();
});
afterAll(async () => {
  direct?.close();
  await cluster?.stop();
});

const labels = { test: 'faults' };
const create = (name: string): Promise<ConfigMap> =>
  direct.create(resources.configMaps, { metadata: { name, namespace, labels } });
const follow = (options: { inactivityMs?: number } = {}): Recorder<ConfigMap> =>
  record({ client, resource: resources.configMaps, namespace, labelSelector: 'test=faults', ...options });
const watches = (): SeenRequest[] => proxy.seen.filter(isWatch);
const lists = (): SeenRequest[] => proxy.seen.filter((request) => !isWatch(request));

/** This fault for the first so many watches, none afterwards. */
const inFirstWatches = (count: number, fault: Fault): void => {
  proxy.fault = (request) => (isWatch(request) && watches().length <= count ? fault : undefined);
};
const status = (code: number, reason: string, more: object = {}): object => ({
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  message: `made up: ${reason}`,
  code,
  reason,
  ...more,
});

test('a half-open connection is found by its silence, and nothing that happened meanwhile is missed', async () => {
  inFirstWatches(1, { kind: 'freeze', afterLines: 1 });
  const { told, errors } = follow({ inactivityMs: 1500 });
  await eventually(() => watches().length === 1);
  await create('heard');
  await eventually(() => told.length === 2);
  await create('in-silence');
  await eventually(() => told.length === 3);
  expect(told).toEqual(['sync', 'ADDED heard', 'ADDED in-silence']);
  expect(errors[0]?.error).toBeInstanceOf(KubernetesUnreachableError);
  expect(String(errors[0]?.error)).toContain('nothing heard for 1500 ms');
});

test('a slow handler is not taken for a silent server', async () => {
  let finish: (() => void) | undefined;
  const { told, errors } = record({
    client,
    resource: resources.configMaps,
    namespace,
    labelSelector: 'test=faults',
    inactivityMs: 1200,
    onEvent: () => new Promise<void>((resolve) => (finish = resolve)),
  });
  await eventually(() => told.length === 1);
  const began = performance.now();
  await create('slow');
  await eventually(() => finish !== undefined && performance.now() - began > 2500);
  finish?.();
  await eventually(() => told.length === 2);
  expect(errors).toEqual([]);
});

test('a connection that is reset in the middle of a line is taken up where the last whole line ended', async () => {
  inFirstWatches(1, { kind: 'cut', afterLines: 1 });
  const { told } = follow();
  await eventually(() => watches().length === 1);
  const first = await create('whole');
  await eventually(() => told.length === 2);
  await create('cut');
  await eventually(() => told.length === 3);
  expect(told).toEqual(['sync', 'ADDED whole', 'ADDED cut']);
  expect(watches()[1]?.query.get('resourceVersion')).toBe(first.metadata?.resourceVersion);
});

test('410 as an HTTP status leads to a list, and is told as a gap', async () => {
  inFirstWatches(1, { kind: 'answer', status: 410, body: status(410, 'Expired') });
  const { told, gaps } = record({
    client,
    resource: resources.configMaps,
    namespace,
    labelSelector: 'test=faults',
    resourceVersion: (await create('a')).metadata?.resourceVersion,
  });
  await eventually(() => told.length === 2);
  expect(told).toEqual(['gap expired', 'sync a']);
  expect(gaps[0]?.changed).toBe(0);
  expect(gaps[0]?.message).toContain('made up: Expired');
});

test('410 as an ERROR inside a running watch leads to a list, and is told as a gap with its bounds', async () => {
  inFirstWatches(1, { kind: 'line', afterLines: 1, line: { type: 'ERROR', object: status(410, 'Expired') } });
  const { told, gaps, errors } = follow();
  await eventually(() => watches().length === 1);
  const heard = await create('heard');
  await eventually(() => told.length === 4);
  expect(told).toEqual(['sync', 'ADDED heard', 'gap expired', 'sync heard']);
  expect(gaps[0]?.from.resourceVersion).toBe(heard.metadata?.resourceVersion);
  expect(gaps[0]?.from.at).toBeInstanceOf(Date);
  expect(errors).toEqual([]);
  await create('next');
  await eventually(() => told.length === 5);
});

test('a server that answers every watch with 410 is asked at a growing distance, not in a tight loop', async () => {
  inFirstWatches(1000, { kind: 'line', afterLines: 0, line: { type: 'ERROR', object: status(410, 'Expired') } });
  const { errors } = follow();
  await eventually(() => errors.length >= 5);
  // No watch is repeated without an error that says how long is waited; each may be followed by two lists.
  expect(watches().length).toBeLessThanOrEqual(errors.length + 2);
  expect(lists().length).toBeLessThanOrEqual(2 * (errors.length + 2));
});

test.each([429, 503])('%i with Retry-After is waited for', async (code) => {
  const headers = { 'retry-after': '1', 'content-type': 'text/plain' };
  inFirstWatches(1, { kind: 'answer', status: code, headers, body: 'Too many requests, please try again later.' });
  const { told, errors } = follow();
  await eventually(() => watches().length === 2);
  const [refused, retried] = watches();
  expect((retried?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(1000);
  expect(errors[0]?.retryInMs).toBeGreaterThanOrEqual(1000);
  await create('a');
  await eventually(() => told.length === 2);
});

test('429 with retryAfterSeconds in the body alone is waited for too, in a list as in a watch', async () => {
  const body = status(429, 'TooManyRequests', { details: { retryAfterSeconds: 1 } });
  let refused = 0;
  proxy.fault = () => (refused++ === 0 ? { kind: 'answer', status: 429, body } : undefined);
  const { told, errors } = follow();
  await eventually(() => told.length === 1);
  const [first, second] = lists();
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1000);
  // The client waited by itself; the list-watch never knew.
  expect(errors).toEqual([]);
});

test('a version that grew too old while a quiet collection was followed without a break is no gap', async () => {
  await create('a');
  // Running its time for a second, then politely over; the next one finds the version compacted away.
  proxy.fault = (request) =>
    isWatch(request) && watches().length === 2
      ? { kind: 'line', afterLines: 0, line: { type: 'ERROR', object: status(410, 'Expired') } }
      : undefined;
  const { told, gaps } = follow({ inactivityMs: 2500 });
  await eventually(() => told.length === 2);
  expect(told).toEqual(['sync a', 'sync a']);
  expect(gaps).toEqual([]);
  await create('b');
  await eventually(() => told.length === 3);
});

test('410 in the middle of a paged list is answered with a whole one', async () => {
  for (const name of ['a', 'b', 'c', 'd']) await create(name);
  proxy.fault = (request) =>
    request.query.has('continue') ? { kind: 'answer', status: 410, body: status(410, 'Expired') } : undefined;
  const { told } = record({
    client,
    resource: resources.configMaps,
    namespace,
    labelSelector: 'test=faults',
    pageSize: 2,
  });
  await eventually(() => told.length === 1);
  expect(told).toEqual(['sync a,b,c,d']);
  expect(lists().map(({ query }) => query.get('limit'))).toEqual(['2', '2', null]);
});

test('a bookmark moves the version on while nothing changes', async () => {
  const { metadata } = await direct.create(resources.configMaps, { metadata: { name: 'elsewhere', namespace } });
  const bookmark = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: metadata?.resourceVersion } };
  inFirstWatches(1, { kind: 'line', afterLines: 0, line: { type: 'BOOKMARK', object: bookmark } });
  const { told, bookmarks } = follow();
  await eventually(() => watches().length === 2);
  expect(watches()[0]?.query.get('allowWatchBookmarks')).toBe('true');
  expect(bookmarks).toEqual([metadata?.resourceVersion]);
  expect(watches()[1]?.query.get('resourceVersion')).toBe(metadata?.resourceVersion);
  expect(told).toEqual(['sync']);
});

test('watches that end at once, politely but without an event, are not repeated without a pause', async () => {
  inFirstWatches(1000, { kind: 'end' });
  const { errors } = follow();
  await eventually(() => errors.length >= 4);
  expect(watches().length).toBeLessThanOrEqual(errors.length + 1);
});

test('a server that is away is waited for, and nothing that happened meanwhile is missed', async () => {
  const { told, errors } = follow();
  await eventually(() => watches().length === 1);
  const { port } = new URL(proxy.access.server);
  await proxy.close();
  await create('meanwhile');
  await eventually(() => errors.length >= 3);
  expect(String(errors.at(-1)?.error)).toContain('is not reachable');
  proxy = await startFaultyProxy(accessFromKubeconfig(cluster.kubeconfig), Number(port));
  await eventually(() => told.length === 2);
  expect(told).toEqual(['sync', 'ADDED meanwhile']);
});
