import { aSpec, aState, at } from './release.builder.ts';
import { endRemoved } from './removed.ts';

describe('a release whose Canary is removed', () => {
  const phases = ['Pending', 'Progressing', 'Paused', 'RollingBack', 'Promoting'] as const;
  test.each(phases)('while it is %s ends with the traffic on the old version', (phase) => {
    expect(endRemoved(aSpec(), aState({ phase }), 'shop-v1', at(5))).toMatchObject({
      next: { phase: 'RolledBack', weight: 0, since: at(5) },
      decision: {
        act: 'rolled-back',
        reason: 'the Canary was removed during the release; its traffic goes to shop-v1',
      },
    });
  });

  test('is promoted where the Ingress was switched already', () => {
    expect(endRemoved(aSpec(), aState({ phase: 'Promoting' }), 'shop-v2', at(5))).toMatchObject({
      next: { phase: 'Promoted', weight: 100 },
      decision: { act: 'promoted' },
    });
  });

  test('says so where its route was removed, too', () => {
    expect(endRemoved(aSpec(), aState(), undefined, at(5))?.decision?.reason).toContain(
      'Ingress shop has no such route',
    );
  });

  test.each(['Promoted', 'RolledBack', 'Refused'] as const)('that is %s has ended already', (phase) => {
    expect(endRemoved(aSpec(), aState({ phase }), 'shop-v1', at(5))).toBeUndefined();
  });
});
