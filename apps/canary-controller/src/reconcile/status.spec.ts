import type { CanaryResource } from '@keelson/kubernetes';
import { aState, at } from '../release/release.builder.ts';
import { canaryStatus } from './status.ts';

const canary = (changes: Partial<CanaryResource> = {}): CanaryResource =>
  ({ metadata: { namespace: 'demo', name: 'shop', generation: 2 }, spec: {}, ...changes }) as CanaryResource;
const condition = (status: ReturnType<typeof canaryStatus>, type: string) =>
  status.conditions!.find((one) => one.type === type);

describe('the status of a Canary', () => {
  test('speaks of its release, not of a change that has yet to begin', () => {
    const status = canaryStatus(canary(), aState({ phase: 'Promoted', release: 1 }));
    expect(status).toMatchObject({ release: 1, observedGeneration: 1 });
    expect(condition(status, 'Promoted')).toMatchObject({ status: 'True', observedGeneration: 1 });
  });

  test('keeps the time of a condition until it turns', () => {
    const before = canaryStatus(canary(), aState({ since: at(0) }));
    const later = canaryStatus(canary({ status: before }), aState({ since: at(60), step: 1 }));
    expect(condition(later, 'Progressing')?.lastTransitionTime).toBe('2026-03-01T12:00:00Z');
    const over = canaryStatus(canary({ status: later }), aState({ phase: 'RolledBack', since: at(90) }));
    expect(condition(over, 'Progressing')).toMatchObject({
      status: 'False',
      lastTransitionTime: '2026-03-01T12:01:30Z',
    });
    expect(condition(over, 'Promoted')?.lastTransitionTime).toBe('2026-03-01T12:00:00Z');
  });

  test('tells what holds it up beside why it is where it is, once', () => {
    const trouble = 'Ingress shop carries shop.example/ no longer';
    expect(canaryStatus(canary(), aState({ reason: 'step 1', trouble })).reason).toBe(`step 1; ${trouble}`);
    expect(canaryStatus(canary(), aState({ reason: `paused: ${trouble}`, trouble })).reason).toBe(`paused: ${trouble}`);
  });
});
