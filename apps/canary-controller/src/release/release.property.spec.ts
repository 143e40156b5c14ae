import fc from 'fast-check';
import { decide } from './decide.ts';
import { CRASH_POINTS, World, type CrashPoint, type Outcome } from './model.builder.ts';
import { aSpec, at } from './release.builder.ts';

const outcomes: fc.Arbitrary<Outcome[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant('pass' as const) },
    { weight: 1, arbitrary: fc.constantFrom('fail', 'inconclusive', 'error' as const) },
  ),
  { minLength: 1, maxLength: 3 },
);
const crashes = fc.array(fc.constantFrom(...CRASH_POINTS), { maxLength: 3 });
const command = fc.constantFrom(
  { kind: 'promote', full: false, reason: '' } as const,
  { kind: 'promote', full: true, reason: '' } as const,
  { kind: 'abort', reason: '' } as const,
  { kind: 'pause', reason: '' } as const,
  { kind: 'resume', reason: '' } as const,
);
/** What happens in ten seconds: what a look would find, at which points the controller dies, what a person asks. */
const turn = fc.record({
  found: outcomes,
  dies: crashes,
  asks: fc.option(command, { nil: undefined, freq: 12 }),
});
type Turn = { found: Outcome[]; dies: CrashPoint[]; asks: Parameters<World['command']>[0] | undefined };
const turns = fc.array(turn, { minLength: 1, maxLength: 40 });

function play(script: readonly Turn[], options: { crashes: boolean; commands?: boolean; times?: Date[] }): World {
  const world = new World();
  for (const [index, { found, dies, asks }] of script.entries()) {
    const now = options.times?.[index] ?? at(index * 10);
    if (options.commands !== false && asks) world.command(asks, now);
    world.settle(now, found, options.crashes ? dies : []);
  }
  return world;
}

describe('whatever the looks find, whatever people ask, wherever the controller dies', () => {
  test('it comes to the same end by the same decisions as one that never died', () => {
    fc.assert(
      fc.property(turns, (script) => {
        const lived = play(script, { crashes: false });
        const died = play(script, { crashes: true });
        expect(died.history).toEqual(lived.history);
        expect(died.state).toEqual(lived.state);
        expect([died.backend, died.canaryWeight]).toEqual([lived.backend, lived.canaryWeight]);
      }),
      { numRuns: 500 },
    );
  });

  test('the traffic is where the state says, at every moment, and never at 100 % of a version that is not promoted', () => {
    fc.assert(
      fc.property(turns, (script) => {
        for (const { state, backend, canaryWeight } of play(script, { crashes: true }).moments) {
          const promoting = state?.phase === 'Promoting' || state?.phase === 'Promoted';
          if (!promoting) expect(backend).toBe('shop-v1');
          // The weight may lag behind the state, never run ahead of the largest step.
          if (!promoting) expect(canaryWeight ?? 0).toBeLessThanOrEqual(80);
        }
      }),
    );
  });

  test('what is over stays over, and leaves one version with all of the traffic', () => {
    fc.assert(
      fc.property(turns, (script) => {
        const world = play(script, { crashes: true });
        const end = world.moments.findIndex(
          ({ state }) => state?.phase === 'Promoted' || state?.phase === 'RolledBack',
        );
        if (end < 0) return;
        const { phase } = world.moments[end]!.state!;
        for (const moment of world.moments.slice(end)) {
          expect(moment).toMatchObject({
            state: { phase },
            backend: phase === 'Promoted' ? 'shop-v2' : 'shop-v1',
            canaryWeight: undefined,
          });
        }
      }),
    );
  });

  test('the weight only rises until it is taken away', () => {
    fc.assert(
      fc.property(turns, (script) => {
        const weights = play(script, { crashes: true })
          .moments.map(({ state }) => state)
          .filter((state) => state && state.phase !== 'RollingBack' && state.phase !== 'RolledBack')
          .map((state) => state!.weight);
        expect(weights).toEqual(weights.toSorted((a, b) => a - b));
      }),
    );
  });

  test('no decision is made twice in a row', () => {
    fc.assert(
      fc.property(turns, (script) => {
        const { history } = play(script, { crashes: true });
        const twice = history.filter((one, index) => one.act !== 'hold' && one.act === history[index + 1]?.act);
        expect(twice.filter(({ act }) => act !== 'step')).toEqual([]);
      }),
    );
  });

  test('deciding again, with nothing new to see, changes nothing', () => {
    fc.assert(
      fc.property(turns, (script) => {
        const world = play(script, { crashes: true });
        const now = at((script.length - 1) * 10);
        const again = decide({ ...world.snapshot(now, []), evidence: undefined }, now);
        expect(again.decision).toBeUndefined();
        expect(again.next).toBe(world.state);
      }),
    );
  });
});

describe('without a person', () => {
  test('it goes on only by a look in which every check passed', () => {
    fc.assert(
      fc.property(turns, (script) => {
        const { history } = play(script, { crashes: true, commands: false });
        const onward = history.filter(({ act }) => act === 'step' || act === 'promote').slice(1);
        for (const { evidence } of onward) {
          expect(evidence.length).toBeGreaterThan(0);
          expect(evidence.every(({ outcome }) => outcome === 'pass')).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('each step takes its whole hold, whatever the clock does', () => {
    // Minutes that the clock is moved by before a turn, mostly none.
    const jumps = fc.array(fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.integer({ min: -90, max: 0 })), {
      minLength: 40,
      maxLength: 40,
    });
    fc.assert(
      fc.property(turns, jumps, (script, minutes) => {
        let offset = 0;
        const times = script.map((_, index) => {
          offset += (minutes[index] ?? 0) * 60;
          return at(index * 10 + offset);
        });
        const { history } = play(script, { crashes: true, commands: false, times });
        // A hold of 30 s is three turns at least; a clock that goes back only makes it longer.
        if (history.some(({ act }) => act === 'promote'))
          expect(script.length).toBeGreaterThan(3 * aSpec().steps.length);
      }),
      { numRuns: 300 },
    );
  });

  test('a version whose every look fails is rolled back at the failure limit', () => {
    fc.assert(
      fc.property(turns, fc.integer({ min: 0, max: 9 }), (script, healthy) => {
        const good = Array.from({ length: healthy }, (): Turn => ({ found: ['pass'], dies: [], asks: undefined }));
        const bad = script.map((one): Turn => ({ ...one, found: [...one.found, 'fail'] }));
        const { failureLimit } = aSpec().analysis;
        const world = play([...good, ...bad], { crashes: true, commands: false });
        // The first turn begins, waits for nothing and enters the first step; looks follow from the second on.
        const looks = healthy === 0 ? bad.length - 1 : bad.length;
        if (looks >= failureLimit) expect(world.state?.phase).toBe('RolledBack');
        else expect(world.over).toBe(false);
      }),
    );
  });
});
