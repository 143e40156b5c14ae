import {
  circuitBreakerOptions,
  closedCircuit,
  nextCircuit,
  type Circuit,
  type CircuitEvent,
} from './circuit-breaker.ts';

const options = circuitBreakerOptions('q', { minimum: 4, openMs: 100, maxOpenMs: 250, windowMs: 1_000 });
const after = (events: readonly ('handled' | 'failed' | number)[], from: Circuit = closedCircuit(0)): Circuit => {
  let now = 0;
  return events.reduce<Circuit>((circuit, event) => {
    if (typeof event === 'number') now = event;
    const what: CircuitEvent = typeof event === 'number' ? { kind: 'time' } : { kind: event, era: circuit.era };
    return nextCircuit(circuit, what, now, options);
  }, from);
};

describe('a circuit breaker', () => {
  test.each([
    {
      name: 'stays closed below the least number of attempts',
      events: ['failed', 'failed', 'failed'],
      state: 'closed',
    },
    {
      name: 'opens at the least number when half of them failed',
      events: ['handled', 'failed', 'handled', 'failed'],
      state: 'open',
    },
    { name: 'does not open on a success', events: ['failed', 'failed', 'failed', 'handled'], state: 'closed' },
    {
      name: 'stays closed while fewer than half fail',
      events: ['handled', 'handled', 'handled', 'failed', 'failed'],
      state: 'closed',
    },
    {
      name: 'forgets what is older than its window',
      events: ['failed', 'failed', 'failed', 1_000, 'failed'],
      state: 'closed',
    },
    { name: 'stays open until its time', events: ['failed', 'failed', 'failed', 'failed', 99], state: 'open' },
    { name: 'tries one at its time', events: ['failed', 'failed', 'failed', 'failed', 100], state: 'half-open' },
    {
      name: 'closes when that one is handled',
      events: ['failed', 'failed', 'failed', 'failed', 100, 'handled'],
      state: 'closed',
    },
    {
      name: 'opens again when it fails',
      events: ['failed', 'failed', 'failed', 'failed', 100, 'failed'],
      state: 'open',
    },
  ] as const)('$name', ({ events, state }) => expect(after(events).state).toBe(state));

  test('stays open twice as long each time, up to its bound', () => {
    const tripped = ['failed', 'failed', 'failed', 'failed'] as const;
    expect(after(tripped)).toMatchObject({ until: 100 });
    expect(after([...tripped, 100, 'failed'])).toMatchObject({ until: 300 });
    expect(after([...tripped, 100, 'failed', 300, 'failed'])).toMatchObject({ until: 550 });
    expect(after([...tripped, 100, 'handled', 'failed', 'failed', 'failed', 'failed'])).toMatchObject({ until: 200 });
  });

  test('hears nothing of attempts that began before its present state', () => {
    const halfOpen = after(['failed', 'failed', 'failed', 'failed', 100]);
    expect(nextCircuit(halfOpen, { kind: 'handled', era: 0 }, 101, options)).toBe(halfOpen);
  });

  test.each([
    { given: { failureShare: 0 }, error: 'circuitBreaker.failureShare is 0; allowed is above 0, up to 1' },
    { given: { failureShare: 1.1 }, error: 'circuitBreaker.failureShare is 1.1' },
    { given: { minimum: 1.5 }, error: 'circuitBreaker.minimum is 1.5; allowed is a whole number from 1' },
    { given: { windowMs: Number.NaN }, error: 'circuitBreaker.windowMs is NaN' },
    { given: { openMs: 10, maxOpenMs: 5 }, error: 'circuitBreaker.maxOpenMs is 5; allowed is from openMs (10)' },
  ])('refuses $given', ({ given, error }) => expect(() => circuitBreakerOptions('q', given)).toThrow(error));
});
