import type { PodObject, ServiceObject } from '../objects.ts';
import { wantedSlices } from './slices.ts';

const meta = (name: string) => ({
  name,
  namespace: 'shop',
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
});

const aService = (ports: ServiceObject['spec']['ports'], more: Partial<ServiceObject['spec']> = {}): ServiceObject => ({
  metadata: meta('web'),
  spec: { type: 'ClusterIP', selector: { app: 'web' }, ports, ...more },
});

const aPod = (
  name: string,
  o: { port?: number; ready?: boolean; ip?: string; phase?: string; going?: boolean } = {},
): PodObject => ({
  metadata: { ...meta(name), ...(o.going ? { deletionTimestamp: '2026-01-01T00:00:01Z' } : {}) },
  spec: { nodeName: 'n1', containers: [{ ports: [{ name: 'http', containerPort: o.port ?? 8080 }] }] },
  status: {
    phase: o.phase ?? 'Running',
    podIP: o.ip ?? '10.1.0.1',
    conditions: [{ type: 'Ready', status: o.ready === false ? 'False' : 'True' }],
  },
});

const http = [{ port: 80, targetPort: 'http', protocol: 'TCP' }];
const everyNode = (): boolean => true;

describe('the slices of a Service', () => {
  test('are one, and empty, without pods', () => {
    expect(wantedSlices(aService(http), [], everyNode)).toEqual([{ ports: [], endpoints: [] }]);
  });

  test('are the same for the same pods in another order', () => {
    const pods = ['c', 'a', 'b'].map((name) => aPod(name));
    expect(wantedSlices(aService(http), pods, everyNode)).toEqual(
      wantedSlices(aService(http), pods.toReversed(), everyNode),
    );
  });

  test('hold a hundred endpoints each at most', () => {
    const pods = Array.from({ length: 250 }, (_, i) => aPod(`p${i}`));
    expect(wantedSlices(aService(http), pods, everyNode).map((s) => s.endpoints.length)).toEqual([100, 100, 50]);
  });

  test.each([
    { title: 'that has ended', pod: aPod('a', { phase: 'Succeeded' }) },
    { title: 'without an address', pod: aPod('a', { ip: '' }) },
  ])('leave out a pod $title', ({ pod }) => {
    expect(wantedSlices(aService(http), [pod], everyNode)[0]?.endpoints).toEqual([]);
  });

  test('leave out pods of a node that is not there', () => {
    expect(wantedSlices(aService(http), [aPod('a')], () => false)[0]?.endpoints).toEqual([]);
  });

  test.each([
    { title: 'ready', pod: aPod('a'), conditions: { ready: true, serving: true, terminating: false } },
    {
      title: 'not ready',
      pod: aPod('a', { ready: false }),
      conditions: { ready: false, serving: false, terminating: false },
    },
    {
      title: 'on its way out',
      pod: aPod('a', { going: true }),
      conditions: { ready: false, serving: true, terminating: true },
    },
  ])('tell that a pod is $title', ({ pod, conditions }) => {
    expect(wantedSlices(aService(http), [pod], everyNode)[0]?.endpoints[0]?.conditions).toEqual(conditions);
  });

  test('leave out a named port that a pod does not have', () => {
    const service = aService([...http, { name: 'admin', port: 81, targetPort: 'admin', protocol: 'TCP' }]);
    expect(wantedSlices(service, [aPod('a')], everyNode)[0]?.ports).toEqual([
      { name: '', port: 8080, protocol: 'TCP' },
    ]);
  });
});
