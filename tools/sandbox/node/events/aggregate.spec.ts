import fc from 'fast-check';
import { EventAggregator, type NewEvent } from './aggregate.ts';

const anEvent = (over: Partial<NewEvent> = {}): NewEvent => ({
  involvedUid: 'u',
  involvedKind: 'Pod',
  namespace: 'shop',
  name: 'web-1',
  type: 'Warning',
  reason: 'BackOff',
  message: 'Back-off restarting failed container web',
  ...over,
});

describe('events of the node', () => {
  test('an equal event raises the count of the first', () => {
    const aggregator = new EventAggregator();
    const first = aggregator.record(anEvent(), 1000);
    expect(first).toMatchObject({ kind: 'create', count: 1 });
    aggregator.stored(first.key, 'web-1.abc');
    expect(aggregator.record(anEvent(), 2000)).toMatchObject({
      kind: 'update',
      eventName: 'web-1.abc',
      count: 2,
      firstAt: 1000,
    });
  });

  test('an event that could not be stored is created again with its count', () => {
    const aggregator = new EventAggregator();
    aggregator.record(anEvent(), 1000);
    expect(aggregator.record(anEvent(), 2000)).toMatchObject({ kind: 'create', count: 2, firstAt: 1000 });
  });

  test('another container, reason or pod is another event', () => {
    const aggregator = new EventAggregator();
    const keys = [
      anEvent(),
      anEvent({ fieldPath: 'spec.containers{a}' }),
      anEvent({ reason: 'Unhealthy' }),
      anEvent({ involvedUid: 'v' }),
      anEvent({ message: 'other' }),
    ].map((event) => aggregator.record(event, 0).key);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('after ten different messages of one reason the rest is combined', () => {
    const aggregator = new EventAggregator();
    const messages = Array.from({ length: 12 }, (_, i) => aggregator.record(anEvent({ message: `m${i}` }), i).message);
    expect(messages.slice(0, 10)).toEqual(Array.from({ length: 10 }, (_, i) => `m${i}`));
    expect(messages.slice(10)).toEqual(['(combined from similar events): m10', '(combined from similar events): m11']);
    expect(aggregator.record(anEvent({ message: 'm99' }), 12 + 600_001).message).toBe('m99');
  });

  test('no event is lost: the counts of all writes add up', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 200 }), (messages) => {
        const aggregator = new EventAggregator();
        const counts = new Map<string, number>();
        for (const [i, m] of messages.entries()) {
          const write = aggregator.record(anEvent({ message: `m${m}` }), i);
          if (write.kind === 'create') aggregator.stored(write.key, `e${i}`);
          counts.set(write.key, write.count);
        }
        expect([...counts.values()].reduce((a, b) => a + b, 0)).toBe(messages.length);
      }),
    );
  });
});
