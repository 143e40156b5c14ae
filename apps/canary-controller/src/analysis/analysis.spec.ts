import type { JournalEvent } from '@keelson/contracts';
import { countsBetween, judgeSuccessRate, requestsQuery } from './success-rate.ts';
import { aSpec, aState, at } from '../release/release.builder.ts';
import { allKnown, firstAllKnown, stepSeconds, windowStart } from './window.ts';
import { isPodOf, judgeWarningEvents, podNamePrefix } from './warning-events.ts';

const sample = (status: string, value: number) => ({ labels: { status, controller_pod: 'gw-1' }, value });

describe('request counts', () => {
  const cases = [
    {
      name: 'grow between two readings',
      before: [sample('200', 100)],
      now: [sample('200', 150)],
      total: 50,
      failed: 0,
    },
    {
      name: 'count a new series from zero',
      before: [],
      now: [sample('200', 7), sample('503', 3)],
      total: 10,
      failed: 3,
    },
    { name: 'survive a reset', before: [sample('200', 900)], now: [sample('200', 40)], total: 40, failed: 0 },
    { name: 'take 499 for no failure of the service', before: [], now: [sample('499', 5)], total: 5, failed: 0 },
    { name: 'are none without series', before: [], now: [], total: 0, failed: 0 },
  ];
  test.each(cases)('$name', ({ before, now, total, failed }) => {
    expect(countsBetween(before, now)).toEqual({ total, failed });
  });

  test.each([NaN, Infinity])('cannot be made of %s', (value) => {
    expect(countsBetween([], [sample('200', 100), sample('500', value)])).toBeUndefined();
    expect(countsBetween([sample('200', value)], [sample('200', 100)])).toBeUndefined();
  });

  describe('of gateways that are not known from the beginning', () => {
    const pod = (name: string) => ({ labels: { controller_pod: name }, value: 1 });
    const seen = (name: string, ...times: number[]) => ({ labels: { controller_pod: name }, times: times.map(at) });
    test('begin where all that are known now are known', () => {
      expect(allKnown([pod('a'), pod('b')], [pod('b')])).toBe(true);
      expect(allKnown([pod('a')], [pod('a'), pod('b')])).toBe(false);
      const history = [seen('a', 0, 1, 2, 3), seen('b', 2, 3), seen('gone', 0)];
      expect(firstAllKnown(history, [pod('a'), pod('b')])).toEqual(at(2));
      expect(firstAllKnown([seen('a', 1, 2)], [pod('a')])).toEqual(at(1));
    });
    test('do not begin before each was seen once', () => {
      expect(firstAllKnown([seen('a', 0)], [pod('a'), pod('b')])).toBeUndefined();
      expect(firstAllKnown([], [])).toBeUndefined();
    });
    test('are looked for at 200 moments at most, a second apart at least', () => {
      expect(stepSeconds(at(0), at(5))).toBe(1);
      expect(stepSeconds(at(0), at(86_400))).toBe(432);
    });
  });

  test('begin with the step, and not further back than a step may take to be judged', () => {
    const spec = aSpec({ steps: [{ weight: 10, holdSeconds: 30 }], analysis: { inconclusiveLimitSeconds: 60 } });
    const state = aState({ since: at(0) });
    expect(windowStart(spec, state, at(45))).toEqual(at(0));
    expect(windowStart(spec, state, at(3600))).toEqual(at(3540));
    expect(windowStart(aSpec({ steps: [{ weight: 10, holdSeconds: 900 }] }), state, at(1000))).toEqual(at(100));
  });
});

describe('the success rate', () => {
  const guard = { min: 0.97, minSample: 50 };
  test('is inconclusive below the minimum sample, whatever the share', () => {
    expect(judgeSuccessRate({ total: 49, failed: 49 }, guard, 'q')).toMatchObject({
      outcome: 'inconclusive',
      sample: 49,
    });
  });
  test('passes exactly at the guard and fails just below it, with the figures in words', () => {
    expect(judgeSuccessRate({ total: 100, failed: 3 }, guard, 'q').outcome).toBe('pass');
    const failed = judgeSuccessRate({ total: 100, failed: 4 }, guard, 'q');
    expect(failed.outcome).toBe('fail');
    expect(failed.summary).toBe('4 % of 100 requests failed (4); 3 % is allowed');
  });
  test('is inconclusive where the values are no numbers: never a pass, never a failure', () => {
    expect(judgeSuccessRate(undefined, guard, 'q')).toMatchObject({ outcome: 'inconclusive' });
  });
  test('its query cannot be broken out of by a name', () => {
    const query = requestsQuery({ namespace: 'a"b', service: 'c\\d', port: 80 });
    expect(query).toContain('{namespace="a\\"b",canary="a\\"b-c\\\\d-80"}');
  });
});

describe('Warning events', () => {
  const since = new Date('2026-03-01T12:00:00Z');
  const event = (changes: Partial<JournalEvent> = {}): JournalEvent => ({
    sequence: 1,
    id: '0190a5f0-0000-7000-8000-000000000001',
    source: 'kubernetes',
    cluster: 'sandbox',
    type: 'Warning',
    reason: 'BackOff',
    message: 'Back-off restarting failed container',
    object: { kind: 'Pod', namespace: 'shop', name: 'shop-v2-7d9f8c6b5-x2x4z' },
    reporter: 'kubelet',
    labels: {},
    count: 3,
    delta: 2,
    firstSeen: '2026-03-01T12:00:01Z',
    lastSeen: '2026-03-01T12:00:10Z',
    receivedAt: '2026-03-01T12:00:10Z',
    ...changes,
  });
  const guard = { max: 0, ignoreReasons: ['FailedMount'] };
  const found = (...events: JournalEvent[]) => ({ events, complete: true });

  const pods = [
    { pod: 'shop-v2-7d9f8c6b5-x2x4z', own: true },
    { pod: 'shop-v2-batch-7d9f8c6b5-x2x4z', own: false },
    { pod: 'shop-v2', own: false },
    { pod: 'shop-v20-7d9f8c6b5-x2x4z', own: false },
  ];
  test.each(pods)('$pod is of shop-v2: $own', ({ pod, own }) => expect(isPodOf('shop-v2', pod)).toBe(own));

  test('the pods of a Deployment with a long name are known by the part that Kubernetes leaves of it', () => {
    const long = `checkout-${'x'.repeat(50)}`;
    const cut = `${long}-7d9f8c6b5-`.slice(0, 58);
    expect(podNamePrefix(long)).toBe(cut);
    expect(isPodOf(long, `${cut}x2x4z`)).toBe(true);
    expect(isPodOf(long, `${cut}ae`)).toBe(false);
    const middle = `checkout-${'x'.repeat(40)}`;
    expect(isPodOf(middle, `${`${middle}-7d9f8c6b5c-`.slice(0, 58)}x2x4z`)).toBe(true);
    expect(isPodOf(middle, `${middle}-batch-7d9f8c6b5-x2x4z`)).toBe(false);
  });

  test('of its own pods fail it, counted by what is new', () => {
    const judged = judgeWarningEvents(found(event()), 'shop-v2', guard, since);
    expect(judged).toMatchObject({ outcome: 'fail', value: 2, events: [{ reason: 'BackOff', count: 2 }] });
  });
  test('of others, from before, ignored or Normal ones do not', () => {
    const harmless = [
      event({ object: { kind: 'Pod', name: 'shop-v1-7d9f8c6b5-x2x4z' } }),
      event({ object: { kind: 'Node', name: 'shop-v2-7d9f8c6b5-x2x4z' } }),
      event({ lastSeen: '2026-03-01T11:59:59Z' }),
      event({ reason: 'FailedMount' }),
      event({ type: 'Normal' }),
    ];
    expect(judgeWarningEvents(found(...harmless), 'shop-v2', guard, since)).toMatchObject({
      outcome: 'pass',
      value: 0,
    });
  });
  test('that are too many to read prove no health, but one too many is enough to fail', () => {
    const others = event({ object: { kind: 'Pod', name: 'shop-v2-batch-7d9f8c6b5-x2x4z' } });
    const cut = (...events: JournalEvent[]) => ({ events, complete: false });
    expect(judgeWarningEvents(cut(others), 'shop-v2', guard, since).outcome).toBe('inconclusive');
    expect(judgeWarningEvents(cut(others, event()), 'shop-v2', guard, since).outcome).toBe('fail');
  });
});
