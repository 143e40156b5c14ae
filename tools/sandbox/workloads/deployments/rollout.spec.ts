import fc from 'fast-check';

import type { DeploymentObject, PodTemplate, ReplicaSetObject } from '../objects.ts';
import { type Effect, bounds, decide, desiredAnnotation, maxAnnotation, revisionAnnotation } from './rollout.ts';
import { sameTemplate, templateHash } from './template-hash.ts';

const template = (version: number): PodTemplate => ({
  spec: { containers: [{ name: 'main', image: `app:${version}` }] },
});

const meta = (name: string): DeploymentObject['metadata'] => ({
  name,
  namespace: 'shop',
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
});

const aDeployment = (spec: Partial<DeploymentObject['spec']> = {}): DeploymentObject => ({
  metadata: meta('web'),
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    template: template(1),
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    ...spec,
  },
  status: {},
});

const aReplicaSet = (version: number, replicas: number, available: number, revision = version): ReplicaSetObject => ({
  metadata: { ...meta(`web-${version}`), annotations: { [revisionAnnotation]: String(revision) } },
  spec: { replicas, selector: {}, template: template(version) },
  status: { replicas, availableReplicas: available },
});

const scaled = (effects: Effect[]): [string, number][] =>
  effects.flatMap((e) => (e.kind === 'scale' ? [[e.replicaSet.metadata.name, e.replicas] as [string, number]] : []));

describe('deciding a rollout', () => {
  test('creates the first ReplicaSet whole', () => {
    const { effects } = decide(aDeployment(), [], 0);
    expect(effects).toEqual([expect.objectContaining({ kind: 'create', replicas: 3, revision: 1 })]);
  });

  test('starts a new version with as many pods as the surge allows', () => {
    const { effects } = decide(aDeployment({ template: template(2) }), [aReplicaSet(1, 3, 3)], 0);
    expect(effects).toEqual([expect.objectContaining({ kind: 'create', replicas: 1, revision: 2 })]);
  });

  test('gives up old pods only as new ones become available', () => {
    const deployment = aDeployment({ template: template(2) });
    expect(decide(deployment, [aReplicaSet(1, 3, 3), aReplicaSet(2, 1, 0)], 0).effects).toEqual([]);
    expect(scaled(decide(deployment, [aReplicaSet(1, 3, 3), aReplicaSet(2, 1, 1)], 0).effects)).toEqual([['web-1', 2]]);
  });

  test('counts no more pods of a ReplicaSet as available than it is to have: its status lags behind', () => {
    const strategy = { type: 'RollingUpdate' as const, rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } };
    const deployment = aDeployment({ replicas: 4, strategy, template: template(2) });
    // Scaled down from 4 to 3 a moment ago, and its status still tells of 4.
    expect(scaled(decide(deployment, [aReplicaSet(1, 3, 4), aReplicaSet(2, 2, 1)], 0).effects)).toEqual([['web-1', 2]]);
  });

  test('gives up old pods that serve nobody first', () => {
    const deployment = aDeployment({ template: template(3) });
    const sets = [aReplicaSet(1, 2, 2), aReplicaSet(2, 1, 0), aReplicaSet(3, 1, 0)];
    expect(scaled(decide(deployment, sets, 0).effects)).toEqual([]);
    const surged = [aReplicaSet(1, 2, 2), aReplicaSet(2, 2, 0), aReplicaSet(3, 1, 1)];
    expect(scaled(decide(deployment, surged, 0).effects)).toEqual([['web-2', 0]]);
  });

  test('takes a former version up under a new number', () => {
    const { effects } = decide(aDeployment(), [aReplicaSet(1, 0, 0), aReplicaSet(2, 3, 3)], 0);
    expect(effects).toContainEqual(expect.objectContaining({ kind: 'revision', revision: 3 }));
    expect(scaled(effects)).toEqual([['web-1', 1]]);
  });

  test('shares a scale-up among the versions of a running rollout', () => {
    const plan = { [desiredAnnotation]: '10', [maxAnnotation]: '13' };
    const sets = [aReplicaSet(1, 8, 8), aReplicaSet(2, 5, 2)];
    for (const set of sets) Object.assign(set.metadata.annotations ?? {}, plan);
    const result = scaled(decide(aDeployment({ replicas: 20, template: template(2) }), sets, 0).effects);
    const total = result.reduce((sum, [, n]) => sum + n, 0);
    expect(total).toBe(25);
    for (const [, n] of result) expect(n).toBeGreaterThan(5);
  });

  test('leaves a paused Deployment at its version, but scales it', () => {
    const deployment = aDeployment({ paused: true, template: template(2), replicas: 5 });
    const old = aReplicaSet(1, 3, 3);
    Object.assign(old.metadata.annotations ?? {}, { [desiredAnnotation]: '3' });
    expect(decide(deployment, [old], 0).effects).toEqual([{ kind: 'scale', replicaSet: old, replicas: 5 }]);
  });

  test('waits for the last old pod before it recreates', () => {
    const deployment = aDeployment({ template: template(2), strategy: { type: 'Recreate' } });
    expect(scaled(decide(deployment, [aReplicaSet(1, 3, 3)], 3).effects)).toEqual([['web-1', 0]]);
    expect(decide(deployment, [aReplicaSet(1, 0, 0)], 1).effects).toEqual([]);
    expect(decide(deployment, [aReplicaSet(1, 0, 0)], 0).effects).toEqual([
      expect.objectContaining({ kind: 'create', replicas: 3 }),
    ]);
  });

  test('forgets the oldest versions beyond the limit, once all is well', () => {
    const deployment = aDeployment({ template: template(4), revisionHistoryLimit: 1 });
    const sets = [aReplicaSet(1, 0, 0), aReplicaSet(2, 0, 0), aReplicaSet(3, 0, 0), aReplicaSet(4, 3, 3)];
    const names = decide(deployment, sets, 0).effects.flatMap((e) =>
      e.kind === 'delete' ? [e.replicaSet.metadata.name] : [],
    );
    expect(names).toEqual(['web-1', 'web-2']);
  });

  test.each([
    { replicas: 4, maxSurge: '25%', maxUnavailable: '25%', surge: 1, unavailable: 1 },
    { replicas: 3, maxSurge: '25%', maxUnavailable: '25%', surge: 1, unavailable: 0 },
    { replicas: 1, maxSurge: '0%', maxUnavailable: '10%', surge: 0, unavailable: 1 },
    { replicas: 2, maxSurge: 3, maxUnavailable: 5, surge: 3, unavailable: 2 },
  ])('allows $surge more and $unavailable fewer of $replicas at $maxSurge and $maxUnavailable', (row) => {
    const { replicas, maxSurge, maxUnavailable, surge, unavailable } = row;
    const strategy = { type: 'RollingUpdate' as const, rollingUpdate: { maxSurge, maxUnavailable } };
    expect(bounds(aDeployment({ replicas, strategy }))).toEqual({ surge, unavailable });
  });

  test('ends every rollout, and stays within its bounds on the way, whichever pods become ready when', () => {
    const plans = fc.record({
      replicas: fc.integer({ min: 1, max: 8 }),
      maxSurge: fc.integer({ min: 0, max: 4 }),
      maxUnavailable: fc.integer({ min: 0, max: 4 }),
      luck: fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
    });
    fc.assert(
      fc.property(plans, ({ replicas, maxSurge, maxUnavailable, luck }) => {
        const strategy = { type: 'RollingUpdate' as const, rollingUpdate: { maxSurge, maxUnavailable } };
        const deployment = aDeployment({ replicas, strategy, template: template(2) });
        const { surge, unavailable } = bounds(deployment);
        const sets = [aReplicaSet(1, replicas, replicas)];
        /** The pods that are ready, of each set; its status hears of them a while later. */
        const ready = new Map([[sets[0] as ReplicaSetObject, replicas]]);
        let draws = 0;
        const chance = (): boolean => luck[draws++ % luck.length] === true || draws % 7 === 0;
        for (let step = 0; step < 2000; step++) {
          for (const effect of decide(deployment, sets, 0).effects) {
            if (effect.kind === 'create') {
              const created = aReplicaSet(2, effect.replicas, 0);
              sets.push(created);
              ready.set(created, 0);
            }
            if (effect.kind !== 'scale') continue;
            const { replicaSet } = effect;
            replicaSet.spec.replicas = effect.replicas;
            // Pods that are not ready go first.
            ready.set(replicaSet, Math.min(ready.get(replicaSet) ?? 0, effect.replicas));
          }
          const total = sets.reduce((sum, { spec }) => sum + spec.replicas, 0);
          const available = [...ready.values()].reduce((sum, count) => sum + count, 0);
          expect(total).toBeLessThanOrEqual(replicas + surge);
          expect(available).toBeGreaterThanOrEqual(replicas - unavailable);
          const [old, fresh] = sets;
          if (old?.spec.replicas === 0 && fresh?.status.availableReplicas === replicas) return;
          // Now and then a pod of the new version becomes ready, and a status catches up with its pods.
          const already = fresh === undefined ? 0 : (ready.get(fresh) ?? 0);
          if (fresh !== undefined && already < fresh.spec.replicas && chance()) ready.set(fresh, already + 1);
          for (const set of sets) {
            if (chance()) set.status = { replicas: set.spec.replicas, availableReplicas: ready.get(set) ?? 0 };
          }
        }
        throw new Error('the rollout does not end');
      }),
    );
  });
});

describe('telling templates apart', () => {
  test('ignores the order of keys and the hash label itself', () => {
    const a = { metadata: { labels: { app: 'x', 'pod-template-hash': 'abc' } }, spec: { a: 1, b: 2 } };
    const b = { metadata: { labels: { app: 'x' } }, spec: { b: 2, a: 1 } };
    expect(sameTemplate(a, b)).toBe(true);
    expect(templateHash(a)).toBe(templateHash(b));
    expect(templateHash(a)).not.toBe(templateHash(a, 1));
    expect(templateHash(a)).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{10}$/);
  });
});
