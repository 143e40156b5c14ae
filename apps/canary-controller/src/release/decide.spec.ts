import { decide, lookIsDue } from './decide.ts';
import { aRoute, aSnapshot, aSpec, aState, at, evidence } from './release.builder.ts';

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
    const promoting = decide(aSnapshot({ state, route: aRoute(80), evidence: [evidence('pass')] }), at(30));
    expect(promoting.next).toMatchObject({ phase: 'Promoting', weight: 100 });
    const half = aRoute(100, 'shop-v2');
    expect(decide(aSnapshot({ state: promoting.next, route: half }), at(31)).next.phase).toBe('Promoting');
    const whole = aRoute(undefined, 'shop-v2');
    expect(decide(aSnapshot({ state: promoting.next, route: whole }), at(32)).decision?.act).toBe('promoted');
  });

  test('rolls back at the failure limit with the figures as the reason', () => {
    const bad = [evidence('fail', '12 % of 400 requests failed')];
    const first = decide(aSnapshot({ evidence: bad }), at(10));
    expect(first.next).toMatchObject({ phase: 'Progressing', failures: 1 });
    expect(first.decision?.act).toBe('hold');
    const second = decide(aSnapshot({ state: first.next, evidence: bad }), at(20));
    expect(second.next).toMatchObject({ phase: 'RollingBack', weight: 0, reason: '12 % of 400 requests failed' });
    const gone = aRoute(undefined);
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
    const back = decide(aSnapshot({ generation: 2, state: changed.next, route: aRoute(undefined) }), at(6));
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

  describe('whose clock is set back', () => {
    test('goes on looking', () => {
      expect(lookIsDue(aState({ lastLookAt: at(1000) }), aSpec(), at(10))).toBe(true);
      expect(lookIsDue(aState({ lastLookAt: at(5) }), aSpec(), at(10))).toBe(false);
    });

    test('counts hold, requests and events from now, not from a time that is yet to come', () => {
      const state = aState({ since: at(3600), trafficSince: at(3000), startedAt: at(2900), lastLookAt: at(3605) });
      const { next } = decide(aSnapshot({ state }), at(60));
      expect(next).toMatchObject({ since: at(60), trafficSince: at(60), startedAt: at(60), lastLookAt: at(60) });
      const held = decide(aSnapshot({ state: next, evidence: [evidence('pass')] }), at(90));
      expect(held.decision).toMatchObject({ act: 'step' });
    });

    test('does not wait for a clear answer for as long as the clock was ahead', () => {
      const unclear = [evidence('inconclusive')];
      const state = aState({ inconclusiveSince: at(3600) });
      const { next } = decide(aSnapshot({ state, evidence: unclear }), at(10));
      expect(decide(aSnapshot({ state: next, evidence: unclear }), at(70)).next.phase).toBe('Paused');
    });
  });

  describe('whose route others change', () => {
    test('holds its step anew once the route is back, and measures nothing meanwhile', () => {
      const passed = [evidence('pass')];
      const away = decide(aSnapshot({ route: aRoute(undefined), evidence: passed }), at(29));
      expect(away.next).toMatchObject({ phase: 'Progressing', step: 0, since: at(29) });
      expect(decide(aSnapshot({ state: away.next, evidence: passed }), at(40)).next.step).toBe(0);
      expect(decide(aSnapshot({ state: away.next, evidence: passed }), at(59)).next.step).toBe(1);
    });

    const changes = [
      { name: 'the user’s route is gone', route: aRoute(10, null), says: 'carries shop.example/ no longer' },
      { name: 'the user’s route goes elsewhere', route: aRoute(10, 'shop-v0'), says: 'to Service shop-v0, not to' },
      { name: 'the user’s route was switched by hand', route: aRoute(10, 'shop-v2'), says: 'to Service shop-v2' },
      {
        name: 'our Ingress was replaced',
        route: { ...aRoute(undefined), nameTakenBy: 'shop-keelson' },
        says: 'Ingress shop-keelson is somebody else',
      },
    ];
    test.each(changes)('where $name, says so, does not go on, and asks a person in the end', ({ route, says }) => {
      const look = [evidence('pass')];
      const first = decide(aSnapshot({ route, evidence: look }), at(30));
      expect(first.next).toMatchObject({ phase: 'Progressing', step: 0 });
      expect(first.next.trouble).toContain(says);
      const last = decide(aSnapshot({ state: first.next, route, evidence: look }), at(90));
      expect(last.decision?.act).toBe('pause');
      expect(last.decision?.reason).toContain(says);
    });

    test('forgets the trouble once it is over', () => {
      const state = aState({ trouble: 'Ingress shop carries shop.example/ no longer' });
      expect(decide(aSnapshot({ state }), at(5)).next.trouble).toBeUndefined();
    });

    test('keeps a change that failed in mind until it is made', () => {
      const state = aState({ trouble: 'the route could not be changed: denied by a webhook' });
      const still = decide(aSnapshot({ state, route: aRoute(undefined) }), at(5)).next;
      expect(still.trouble).toContain('denied by a webhook');
      expect(decide(aSnapshot({ state: still }), at(6)).next.trouble).toBeUndefined();
    });

    test('while it is promoted, waits and says what is in the way', () => {
      const state = aState({ phase: 'Promoting', weight: 100 });
      const { next } = decide(aSnapshot({ state, route: aRoute(100, 'shop-v0') }), at(5));
      expect(next).toMatchObject({ phase: 'Promoting', reason: state.reason });
      expect(next.trouble).toContain('to Service shop-v0');
    });

    test('is rolled back, but says where the traffic goes if not to the old version', () => {
      const state = aState({ phase: 'RollingBack', weight: 0, reason: 'aborted by hand' });
      const { decision } = decide(aSnapshot({ state, route: aRoute(undefined, 'shop-v2') }), at(5));
      expect(decision?.reason).toBe('aborted by hand; Ingress shop sends it to shop-v2, not to shop-v1');
    });
  });
});
