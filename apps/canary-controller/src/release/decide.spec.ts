import fc from 'fast-check';
import { applyCommand } from './command.ts';
import { decide, isFinished, lookIsDue } from './decide.ts';
import { aSnapshot, aSpec, aState, at, evidence } from './release.builder.ts';
import type { ReleaseState, Snapshot } from './state.ts';

describe('a release', () => {
  test('begins when the Canary is new and says what replaces what', () => {
    const { next, decision } = decide(aSnapshot({ state: undefined }), at(0));
    expect(next).toMatchObject({ phase: 'Pending', release: 1, step: -1, weight: 0 });
    expect(decision).toMatchObject({ act: 'start', reason: 'shop-v2 replaces shop-v1 in 3 steps' });
  });

  test('is refused with every reason before traffic moves', () => {
    const findings = [
      { check: 'a', detail: 'no port' },
      { check: 'b', detail: 'no route' },
    ];
    const { next, decision } = decide(aSnapshot({ state: undefined, findings }), at(0));
    expect(next).toMatchObject({ phase: 'Refused', weight: 0, reason: 'no port; no route' });
    expect(decision?.act).toBe('refuse');
  });

  test('stays refused without repeating itself, and begins once the reasons are gone', () => {
    const findings = [{ check: 'a', detail: 'no port' }];
    const refused = decide(aSnapshot({ state: undefined, findings }), at(0)).next;
    expect(decide(aSnapshot({ state: refused, findings }), at(5)).decision).toBeUndefined();
    expect(decide(aSnapshot({ state: refused }), at(9)).next.phase).toBe('Pending');
  });

  test('waits for the pods of the new version', () => {
    const state = aState({ phase: 'Pending', step: -1, weight: 0, trafficSince: undefined });
    const waiting = decide(aSnapshot({ state, canary: { kind: 'starting', ready: 0, wanted: 2 } }), at(5));
    expect(waiting.next.phase).toBe('Pending');
    expect(waiting.next.reason).toBe('waiting for Deployment shop-v2: 0 of 2 pods are ready');
    const ready = decide(aSnapshot({ state }), at(9));
    expect(ready.next).toMatchObject({ phase: 'Progressing', step: 0, weight: 10, trafficSince: at(9) });
  });

  test('goes to the next step only after the hold, and only with a look that passed', () => {
    expect(decide(aSnapshot({ evidence: [evidence('pass')] }), at(29)).next.step).toBe(0);
    expect(decide(aSnapshot({ evidence: undefined }), at(31)).next.step).toBe(0);
    expect(decide(aSnapshot({ evidence: [evidence('pass')] }), at(30)).next).toMatchObject({ step: 1, weight: 50 });
  });

  test('is promoted after the last step, and promoted for good only when the route shows it', () => {
    const state = aState({ step: 2, weight: 80 });
    const promoting = decide(aSnapshot({ state, evidence: [evidence('pass')] }), at(30));
    expect(promoting.next).toMatchObject({ phase: 'Promoting', weight: 100 });
    const half = { stableBackend: 'shop-v2', canaryWeight: 100 };
    expect(decide(aSnapshot({ state: promoting.next, route: half }), at(31)).next.phase).toBe('Promoting');
    const whole = { stableBackend: 'shop-v2', canaryWeight: undefined };
    expect(decide(aSnapshot({ state: promoting.next, route: whole }), at(32)).decision?.act).toBe('promoted');
  });

  test('rolls back at the failure limit with the figures as the reason', () => {
    const bad = [evidence('fail', '12 % of 400 requests failed')];
    const first = decide(aSnapshot({ evidence: bad }), at(10));
    expect(first.next).toMatchObject({ phase: 'Progressing', failures: 1 });
    expect(first.decision?.act).toBe('hold');
    const second = decide(aSnapshot({ state: first.next, evidence: bad }), at(20));
    expect(second.next).toMatchObject({ phase: 'RollingBack', weight: 0, reason: '12 % of 400 requests failed' });
    const gone = { stableBackend: 'shop-v1', canaryWeight: undefined };
    expect(decide(aSnapshot({ state: second.next, route: gone }), at(21)).next.phase).toBe('RolledBack');
  });

  test('a passing look in between forgives a failed one, an unclear look does not', () => {
    const failedOnce = aState({ failures: 1 });
    expect(decide(aSnapshot({ state: failedOnce, evidence: [evidence('pass')] }), at(10)).next.failures).toBe(0);
    expect(decide(aSnapshot({ state: failedOnce, evidence: [evidence('inconclusive')] }), at(10)).next.failures).toBe(
      1,
    );
  });

  test('too few requests extend the step and then pause it, and never pass it', () => {
    const unclear = [evidence('inconclusive', '3 requests so far')];
    const first = decide(aSnapshot({ evidence: unclear }), at(40));
    expect(first.next).toMatchObject({ phase: 'Progressing', step: 0, inconclusiveSince: at(40) });
    const later = decide(aSnapshot({ state: first.next, evidence: unclear }), at(100));
    expect(later.next.phase).toBe('Paused');
    expect(later.decision?.reason).toContain('3 requests so far');
  });

  test('pauses at a gate, and a bad version is rolled back while it waits', () => {
    const spec = aSpec({ steps: [{ weight: 10, holdSeconds: 30, pause: true }] });
    const gate = decide(aSnapshot({ spec, evidence: [evidence('pass')] }), at(30));
    expect(gate.next.phase).toBe('Paused');
    const bad = [evidence('fail')];
    const once = decide(aSnapshot({ spec, state: gate.next, evidence: bad }), at(40));
    expect(once.next.phase).toBe('Paused');
    expect(decide(aSnapshot({ spec, state: once.next, evidence: bad }), at(50)).next.phase).toBe('RollingBack');
  });

  test('a Canary that changes under way is rolled back before its next release begins', () => {
    const changed = decide(aSnapshot({ generation: 2 }), at(5));
    expect(changed.next).toMatchObject({ phase: 'RollingBack', release: 1 });
    const back = decide(
      aSnapshot({ generation: 2, state: changed.next, route: { stableBackend: 'shop-v1', canaryWeight: undefined } }),
      at(6),
    );
    expect(back.next.phase).toBe('RolledBack');
    expect(decide(aSnapshot({ generation: 2, state: back.next }), at(7)).next).toMatchObject({
      phase: 'Pending',
      release: 2,
    });
  });

  test('a promotion under way is finished even if the Canary changes', () => {
    const state = aState({ phase: 'Promoting', weight: 100 });
    expect(decide(aSnapshot({ generation: 2, state }), at(5)).next.phase).toBe('Promoting');
  });

  test('looks go on when the clock is set back', () => {
    expect(lookIsDue(aState({ lastLookAt: at(1000) }), aSpec(), at(10))).toBe(true);
    expect(lookIsDue(aState({ lastLookAt: at(5) }), aSpec(), at(10))).toBe(false);
  });
});

describe('a command', () => {
  const spec = aSpec();
  const cases = [
    { name: 'abort rolls back a release under way', phase: 'Progressing', kind: 'abort', becomes: 'RollingBack' },
    { name: 'abort rolls back while it waits for pods', phase: 'Pending', kind: 'abort', becomes: 'RollingBack' },
    { name: 'abort twice is no fault', phase: 'RolledBack', kind: 'abort', becomes: undefined },
    { name: 'abort after promotion is refused', phase: 'Promoted', kind: 'abort', becomes: 'refused' },
    { name: 'promote leaves a pause', phase: 'Paused', kind: 'promote', becomes: 'Progressing' },
    { name: 'promote without a pause is refused', phase: 'Progressing', kind: 'promote', becomes: 'refused' },
    { name: 'pause holds', phase: 'Progressing', kind: 'pause', becomes: 'Paused' },
    { name: 'resume goes on', phase: 'Paused', kind: 'resume', becomes: 'Progressing' },
    { name: 'resume of what is over is refused', phase: 'RolledBack', kind: 'resume', becomes: 'refused' },
  ] as const;
  test.each(cases)('$name', ({ phase, kind, becomes }) => {
    const command = kind === 'promote' ? { kind, full: false, reason: '' } : { kind, reason: '' };
    const outcome = applyCommand(spec, aState({ phase }), command, at(5));
    if (becomes === 'refused') expect(outcome).toMatchObject({ kind: 'wrong-phase' });
    else if (becomes === undefined) expect(outcome).toEqual({ kind: 'unchanged' });
    else expect(outcome).toMatchObject({ kind: 'done', verdict: { next: { phase: becomes } } });
  });

  test('promote with full sends everything at once', () => {
    const outcome = applyCommand(spec, aState(), { kind: 'promote', full: true, reason: 'urgent' }, at(5));
    expect(outcome).toMatchObject({
      kind: 'done',
      verdict: { next: { phase: 'Promoting', weight: 100, reason: 'urgent' } },
    });
  });
});

describe('whatever happens', () => {
  const outcomes = fc.array(fc.constantFrom('pass', 'fail', 'inconclusive', 'error' as const), {
    minLength: 1,
    maxLength: 3,
  });
  const looks = fc.array(outcomes, { minLength: 1, maxLength: 60 });

  /** Plays looks ten seconds apart, with a cluster that obeys at once. */
  function play(script: readonly (readonly ('pass' | 'fail' | 'inconclusive' | 'error')[])[]): ReleaseState[] {
    const states: ReleaseState[] = [decide(aSnapshot({ state: undefined }), at(0)).next];
    for (const [index, found] of script.entries()) {
      const state = states.at(-1)!;
      const route =
        state.phase === 'Promoting'
          ? { stableBackend: 'shop-v2', canaryWeight: undefined }
          : { stableBackend: 'shop-v1', canaryWeight: state.phase === 'RollingBack' ? undefined : state.weight };
      const now = at((index + 1) * 10);
      const due = lookIsDue(state, aSpec(), now);
      const snapshot: Snapshot = aSnapshot({
        state,
        route,
        evidence: due ? found.map((one) => evidence(one)) : undefined,
      });
      states.push(decide(snapshot, now).next);
    }
    return states;
  }

  test('the weight is the step’s, and never rises after a failed look', () => {
    fc.assert(
      fc.property(looks, (script) => {
        const states = play(script);
        for (const [index, state] of states.entries()) {
          expect(state.weight).toBeGreaterThanOrEqual(0);
          expect(state.weight).toBeLessThanOrEqual(100);
          const found = script[index - 1];
          const before = states[index - 1];
          if (
            found?.includes('fail') &&
            before &&
            before.lastLookAt !== state.lastLookAt &&
            before.phase === 'Progressing'
          ) {
            expect(state.weight).toBeLessThanOrEqual(before.weight);
          }
        }
      }),
    );
  });

  test('what is over stays over', () => {
    fc.assert(
      fc.property(looks, (script) => {
        const states = play(script);
        const over = states.findIndex((state) => isFinished(state));
        if (over >= 0) expect(new Set(states.slice(over).map((state) => state.phase)).size).toBe(1);
      }),
    );
  });

  test('deciding again on the answer, with nothing new seen, changes nothing', () => {
    fc.assert(
      fc.property(looks, (script) => {
        const state = play(script).at(-1)!;
        const quiet = aSnapshot({ state, route: { stableBackend: 'shop-v1', canaryWeight: state.weight } });
        const once = decide(quiet, at(10_000));
        if (once.next.phase !== state.phase) return; // it moved on: that is a new answer
        expect(decide({ ...quiet, state: once.next }, at(10_000)).next).toEqual(once.next);
        expect(once.decision).toBeUndefined();
      }),
    );
  });

  test('nothing but passing looks promotes', () => {
    fc.assert(
      fc.property(looks, (script) => {
        const states = play(script);
        if (states.some((state) => state.phase === 'Promoting' || state.phase === 'Promoted')) {
          const passes = script.filter((found) => found.every((one) => one === 'pass')).length;
          expect(passes).toBeGreaterThanOrEqual(aSpec().steps.length);
        }
      }),
    );
  });
});
