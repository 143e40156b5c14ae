import fc from 'fast-check';
import { Fifo } from './fifo.ts';

test('a Fifo behaves as an array does', () => {
  const action = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), value: fc.integer() }),
    fc.record({ kind: fc.constant('unshift' as const), value: fc.integer() }),
    fc.record({ kind: fc.constant('shift' as const), value: fc.constant(0) }),
    fc.record({ kind: fc.constant('removeOdd' as const), value: fc.constant(0) }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
      const fifo = new Fifo<number>();
      let model: number[] = [];
      const odd = (value: number) => value % 2 !== 0;
      for (const { kind, value } of actions) {
        if (kind === 'push') model.push((fifo.push(value), value));
        else if (kind === 'unshift') model.unshift((fifo.unshift(value), value));
        else if (kind === 'shift') expect(fifo.shift()).toBe(model.shift());
        else {
          expect(fifo.removeIf(odd)).toEqual(model.filter(odd));
          model = model.filter((item) => !odd(item));
        }
        expect(fifo.length).toBe(model.length);
      }
    }),
  );
});

test('a Fifo gives back the memory of what was taken', () => {
  const fifo = new Fifo<number>();
  for (let round = 0; round < 10; round += 1) {
    for (let item = 0; item < 3_000; item += 1) fifo.push(item);
    for (let item = 0; item < 3_000; item += 1) expect(fifo.shift()).toBe(item);
  }
  expect(fifo.length).toBe(0);
});
