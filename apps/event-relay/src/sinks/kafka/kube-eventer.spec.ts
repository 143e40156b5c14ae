import { anEntry } from '../../journal/entry.builder.ts';
import { goJson } from './go-json.ts';
import { kubeEventerMessage } from './kube-eventer.ts';

/** An Event as kube-eventer gets it from the API, and what Go's json.MarshalIndent(event, "", " ") makes of it. */
const event = {
  metadata: {
    name: 'shop.17a',
    namespace: 'shop',
    uid: 'e-1',
    resourceVersion: '5',
    creationTimestamp: '2026-03-01T12:00:00Z',
  },
  involvedObject: { kind: 'Pod', namespace: 'shop', name: 'shop-1', uid: 'p-1', apiVersion: 'v1' },
  reason: 'BackOff',
  message: 'cmd <sh> && exit',
  source: { component: 'kubelet', host: 'node-1' },
  firstTimestamp: '2026-03-01T12:00:00Z',
  lastTimestamp: '2026-03-01T12:00:10Z',
  count: 3,
  type: 'Warning',
  eventTime: null,
  reportingComponent: 'kubelet',
  reportingInstance: 'node-1',
};

describe("kube-eventer's Kafka message", () => {
  const message = kubeEventerMessage(
    anEntry({ original: event, object: { kind: 'Pod', namespace: 'shop', name: 'shop-1', uid: 'p-1' } }),
  );

  test('has the three keys in their order and the tags of a Pod', () => {
    const parsed = JSON.parse(message) as Record<string, unknown>;
    expect(Object.keys(parsed)).toEqual(['EventValue', 'EventTimestamp', 'EventTags']);
    expect(parsed['EventTimestamp']).toBe('2026-03-01T12:00:10Z');
    expect(parsed['EventTags']).toEqual({ eventID: 'e-1', hostname: 'node-1', pod_id: 'p-1', pod_name: 'shop-1' });
  });

  test('holds the event as text that is indented by one space, with Go’s escapes', () => {
    const { EventValue } = JSON.parse(message) as { EventValue: string };
    expect(EventValue.split('\n').slice(0, 3)).toEqual(['{', ' "metadata": {', '  "name": "shop.17a",']);
    expect(EventValue).toContain('cmd \\u003csh\\u003e \\u0026\\u0026 exit');
    expect(JSON.parse(EventValue)).toEqual(event);
  });

  test('of an events.k8s.io/v1 Event reads like the core/v1 one', () => {
    const {
      involvedObject,
      message: note,
      source,
      firstTimestamp,
      lastTimestamp,
      count,
      reportingComponent,
      ...rest
    } = event;
    const newer = {
      ...rest,
      regarding: involvedObject,
      note,
      deprecatedSource: source,
      deprecatedFirstTimestamp: firstTimestamp,
      deprecatedLastTimestamp: lastTimestamp,
      deprecatedCount: count,
      reportingController: reportingComponent,
    };
    const { EventValue } = JSON.parse(kubeEventerMessage(anEntry({ original: newer }))) as { EventValue: string };
    expect(JSON.parse(EventValue)).toEqual(event);
  });

  test('of something that is no Kubernetes event has the same shape', () => {
    const { EventValue } = JSON.parse(
      kubeEventerMessage(anEntry({ source: 'platform', reason: 'CanaryRolledBack' })),
    ) as { EventValue: string };
    expect(JSON.parse(EventValue)).toMatchObject({
      reason: 'CanaryRolledBack',
      involvedObject: { kind: 'Pod' },
      count: 1,
    });
  });
});

test('Go escapes the two line separators of Unicode, too', () => {
  expect(goJson('a\u2028b\u2029')).toBe('"a\\u2028b\\u2029"');
});
