import fc from 'fast-check';
import { delayBinding, delayNext, delayReturn, delayRoute, defaultDelays as settings } from './delays.ts';
import { delayName, returnExchange } from './names.ts';

/** AMQP topic matching for patterns of words, `*` and a final `#`. */
const matches = (pattern: string, key: string): boolean => {
  const source = pattern
    .split('.')
    .map((word) => (word === '*' ? '[^.]+' : word === '#' ? '.*' : word.replaceAll('-', '\\-')));
  return new RegExp(`^${source.join('\\.')}$`).test(key);
};

/** Walks a message through the levels as the broker would, and adds up its waiting. */
const walk = (queue: string, delayMs: number): { waitedMs: number; arrived: boolean } => {
  const { exchange, routingKey } = delayRoute(queue, delayMs, settings);
  let waitedMs = 0;
  let at = exchange;
  for (let level = settings.levels - 1; level >= 0; level -= 1) {
    if (at !== delayName(settings.unitMs, level)) continue;
    const waits = matches(delayBinding(level, '1', settings), routingKey);
    expect(waits).not.toBe(matches(delayBinding(level, '0', settings), routingKey));
    if (waits) waitedMs += settings.unitMs * 2 ** level;
    at = delayNext(level, settings);
  }
  return {
    waitedMs,
    arrived: at === returnExchange(settings.unitMs) && matches(delayReturn(queue, settings), routingKey),
  };
};

describe('delays', () => {
  test('of any length bring a message to its queue, never early and less than one unit late', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: settings.unitMs * (2 ** settings.levels - 1) }), (delayMs) => {
        const { waitedMs, arrived } = walk('service.purpose', delayMs);
        expect(arrived).toBe(true);
        expect(waitedMs).toBeGreaterThanOrEqual(delayMs);
        expect(waitedMs - delayMs).toBeLessThan(settings.unitMs);
      }),
    );
  });

  test('reach no queue but the one meant, though one name ends in the other', () => {
    const { routingKey } = delayRoute('shop.orders', 1_000, settings);
    expect(matches(delayReturn('orders', settings), routingKey)).toBe(false);
  });

  test('longer than all levels together are cut to that', () => {
    expect(walk('q.q', 1e12).waitedMs).toBe(settings.unitMs * (2 ** settings.levels - 1));
  });
});
