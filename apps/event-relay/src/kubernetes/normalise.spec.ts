import { malformedEvent, normalise, type KubernetesEvent } from './normalise.ts';

const now = new Date('2026-03-01T12:30:00Z');
const core: KubernetesEvent = {
  metadata: { uid: 'e-1', resourceVersion: '42', creationTimestamp: '2026-03-01T12:00:00Z' },
  type: 'Warning',
  reason: 'BackOff',
  message: 'Back-off',
  involvedObject: { kind: 'Pod', namespace: 'shop', name: 'shop-1', uid: 'p-1', apiVersion: 'v1' },
  count: 3,
  firstTimestamp: '2026-03-01T12:00:00Z',
  lastTimestamp: '2026-03-01T12:00:10Z',
  source: { component: 'kubelet', host: 'node-1' },
};

describe('an Event', () => {
  test('of core/v1 and the same of events.k8s.io/v1 are one and the same entry', () => {
    const newer: KubernetesEvent = {
      metadata: core.metadata,
      type: 'Warning',
      reason: 'BackOff',
      note: 'Back-off',
      regarding: core.involvedObject,
      deprecatedCount: 3,
      deprecatedFirstTimestamp: core.firstTimestamp,
      deprecatedLastTimestamp: core.lastTimestamp,
      deprecatedSource: core.source,
    };
    const { original: _a, ...fromCore } = normalise(core, 'c', now);
    const { original: _b, ...fromNewer } = normalise(newer, 'c', now);
    expect(fromNewer).toEqual(fromCore);
    expect(fromCore).toMatchObject({ count: 3, node: 'node-1', reporter: 'kubelet', dedupeKey: 'kubernetes/c/e-1/42' });
  });

  const counts = [
    {
      name: 'a series’ count wins',
      event: { ...core, series: { count: 9, lastObservedTime: '2026-03-01T12:20:00.123456Z' } },
      count: 9,
    },
    { name: 'else the count', event: core, count: 3 },
    { name: 'else it is 1', event: { ...core, count: undefined }, count: 1 },
    { name: 'a count of 0 (events.k8s.io writes it) is 1', event: { ...core, count: 0 }, count: 1 },
  ];
  test.each(counts)('$name', ({ event, count }) => expect(normalise(event, 'c', now).count).toBe(count));

  test('takes the newest time it knows, also in microseconds', () => {
    const series = { ...core, series: { count: 2, lastObservedTime: '2026-03-01T12:20:00.123456Z' } };
    expect(normalise(series, 'c', now).lastSeen).toBe('2026-03-01T12:20:00.123Z');
    const bare = { ...core, firstTimestamp: null, lastTimestamp: null, eventTime: '2026-03-01T12:10:00.000001Z' };
    expect(normalise(bare, 'c', now).lastSeen).toBe('2026-03-01T12:10:00.000Z');
    const none = { ...bare, eventTime: null, metadata: { uid: 'e', resourceVersion: '1' } };
    expect(normalise(none, 'c', now).lastSeen).toBe(now.toISOString());
  });

  test('that says not what it is about is about itself', () => {
    const bare = { metadata: { ...core.metadata, name: 'bare.1', namespace: 'shop' }, involvedObject: {}, reason: 'R' };
    expect(normalise(bare, 'c', now)).toMatchObject({
      reason: 'R',
      object: { kind: 'Event', namespace: 'shop', name: 'bare.1', uid: 'e-1' },
    });
  });

  const times = ['0000-01-01T00:00:00Z', '+012026-01-01T00:00:00Z', 'yesterday', ''];
  test.each(times)('that was seen at "%s" was seen now', (lastTimestamp) => {
    expect(normalise({ ...core, lastTimestamp, series: null }, 'c', now).lastSeen).toBe(now.toISOString());
  });

  test.each([Number.NaN, 1.5, 2 ** 60, -3])('that counts %p counts 1', (count) => {
    expect(normalise({ ...core, count }, 'c', now).count).toBe(1);
  });

  const noEvents = [{}, { metadata: null }, { metadata: { uid: 7 } }, { kind: 'Status', metadata: {} }];
  test.each(noEvents)('that is none is refused and told as a Warning: %j', (object) => {
    const read = () => normalise(object as unknown as KubernetesEvent, 'c', now);
    expect(read).toThrow('it has no metadata.uid');
    expect(malformedEvent(object, 'c', 'it has no metadata.uid', now)).toMatchObject({
      type: 'Warning',
      reason: 'MalformedEvent',
      message: expect.stringContaining('it has no metadata.uid'),
      original: object,
    });
  });
});
