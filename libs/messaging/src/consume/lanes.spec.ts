import fc from 'fast-check';
import { Lanes, type Entry } from './lanes.ts';

describe('lanes', () => {
  test('hand out one entry of a key at a time, in order, and others meanwhile', () => {
    const lanes = new Lanes<string>();
    for (const [item, key] of [
      ['a1', 'a'],
      ['a2', 'a'],
      ['b1', 'b'],
      ['free', undefined],
      ['a3', 'a'],
    ] as const)
      lanes.push(item, key);
    const out = [lanes.next(), lanes.next(), lanes.next()];
    expect(out.map((entry) => entry?.item)).toEqual(['a1', 'b1', 'free']);
    expect(lanes.next()).toBeUndefined();
    expect(lanes.length).toBe(2);
    lanes.done(out[0] as Entry<string>);
    expect(lanes.next()?.item).toBe('a2');
    expect(lanes.next()).toBeUndefined();
  });

  test('keep the order of each key and never have two of one out, whatever comes and ends when', () => {
    const step = fc.oneof(
      fc.record({ push: fc.constantFrom('a', 'b', 'c', undefined) }),
      fc.record({ end: fc.nat(5) }),
      fc.constant('take' as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const lanes = new Lanes<number>();
        const out: Entry<number>[] = [];
        const last = new Map<string, number>();
        let serial = 0;
        let waiting = 0;
        for (const action of steps) {
          if (action === 'take') {
            const entry = lanes.next();
            if (entry === undefined) continue;
            waiting -= 1;
            if (entry.key !== undefined) {
              expect(out.some((other) => other.key === entry.key)).toBe(false);
              expect(entry.item).toBeGreaterThan(last.get(entry.key) ?? -1);
              last.set(entry.key, entry.item);
            }
            out.push(entry);
          } else if ('push' in action) {
            lanes.push((serial += 1), action.push);
            waiting += 1;
          } else {
            const [ended] = out.splice(action.end % Math.max(1, out.length), 1);
            if (ended !== undefined) lanes.done(ended);
          }
          expect(lanes.length).toBe(waiting);
        }
        expect(lanes.clear()).toHaveLength(waiting);
        expect(lanes.next()).toBeUndefined();
      }),
    );
  });
});
