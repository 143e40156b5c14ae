import type { ContainerRecord, Ended } from '../containers/record.ts';
import type { Pod } from '../kubernetes-objects.ts';
import { goDuration, phaseOf, statusOf } from './status.ts';
import { recordsOf } from './restore.ts';

const now = Date.parse('2026-03-01T10:00:00.500Z');
const aPod = (over: Partial<Pod['spec']> = {}, status?: Pod['status']): Pod => ({
  metadata: { name: 'web-1', namespace: 'shop', uid: 'u-1' },
  spec: { containers: [{ name: 'web', image: 'web:1' }], ...over },
  ...(status && { status }),
});
const aRecord = (over: Partial<ContainerRecord> = {}): ContainerRecord => ({
  name: 'web',
  spec: { name: 'web', image: 'web:1' },
  kind: 'main',
  state: { phase: 'waiting', reason: 'ContainerCreating' },
  restartCount: 0,
  ...over,
});
const running = (ready: boolean): ContainerRecord['state'] => ({
  phase: 'running',
  startedAt: now,
  containerId: 'process://1',
  started: true,
  ready,
});
const ended = (exitCode: number): Ended => ({
  phase: 'ended',
  exitCode,
  reason: exitCode === 0 ? 'Completed' : 'Error',
  startedAt: now,
  finishedAt: now,
  containerId: 'process://1',
});
const status = (pod: Pod, records: ContainerRecord[]): ReturnType<typeof statusOf> =>
  statusOf({ pod, records, podIp: '10.117.1.1', hostIp: '127.117.0.1', startTime: '2026-03-01T09:00:00Z', now });
const condition = (s: ReturnType<typeof statusOf>, type: string): unknown => s.conditions?.find((c) => c.type === type);

describe('the status of a pod', () => {
  test('a running and ready pod', () => {
    const s = status(aPod(), [aRecord({ state: running(true) })]);
    expect(s).toMatchObject({ phase: 'Running', podIP: '10.117.1.1', podIPs: [{ ip: '10.117.1.1' }] });
    expect(condition(s, 'Ready')).toMatchObject({ status: 'True', lastTransitionTime: '2026-03-01T10:00:00Z' });
    expect(s.containerStatuses?.[0]).toMatchObject({
      ready: true,
      started: true,
      state: { running: { startedAt: '2026-03-01T10:00:00Z' } },
      lastState: {},
    });
  });

  test('what is not ready is named', () => {
    const s = status(aPod(), [aRecord({ state: running(false) })]);
    expect(condition(s, 'ContainersReady')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [web]',
    });
  });

  test('a crash loop shows the back-off and the last end', () => {
    const s = status(aPod(), [aRecord({ state: ended(3), restartCount: 2, backingOffMs: 20_000 })]);
    expect(s.phase).toBe('Running');
    expect(s.containerStatuses?.[0]).toMatchObject({
      ready: false,
      restartCount: 2,
      state: {
        waiting: {
          reason: 'CrashLoopBackOff',
          message: 'back-off 20s restarting failed container=web pod=web-1_shop(u-1)',
        },
      },
      lastState: { terminated: { exitCode: 3, reason: 'Error' } },
    });
  });

  test('a condition keeps its time of transition while its status stays', () => {
    const before = aPod(
      {},
      { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }] },
    );
    expect(condition(status(before, [aRecord({ state: running(true) })]), 'Ready')).toMatchObject({
      lastTransitionTime: '2026-01-01T00:00:00Z',
    });
    expect(condition(status(before, [aRecord({ state: running(false) })]), 'Ready')).toMatchObject({
      lastTransitionTime: '2026-03-01T10:00:00Z',
    });
  });

  test('a readiness gate holds Ready back, and its condition is kept', () => {
    const gate = { readinessGates: [{ conditionType: 'example.com/gate' }] };
    expect(condition(status(aPod(gate), [aRecord({ state: running(true) })]), 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ReadinessGatesNotReady',
    });
    const open = aPod(gate, { conditions: [{ type: 'example.com/gate', status: 'True' }] });
    const s = status(open, [aRecord({ state: running(true) })]);
    expect(condition(s, 'Ready')).toMatchObject({ status: 'True' });
    expect(condition(s, 'example.com/gate')).toEqual({ type: 'example.com/gate', status: 'True' });
  });

  test.each<[string, ContainerRecord['state'][], 'Always' | 'OnFailure' | 'Never', string]>([
    ['nothing started', [{ phase: 'waiting', reason: '' }], 'Always', 'Pending'],
    ['one of two started', [running(true), { phase: 'starting' }], 'Always', 'Pending'],
    ['one runs, one ended', [running(true), ended(1)], 'Never', 'Running'],
    ['ended well', [ended(0)], 'Never', 'Succeeded'],
    ['ended well under OnFailure', [ended(0)], 'OnFailure', 'Succeeded'],
    ['ended badly', [ended(0), ended(1)], 'Never', 'Failed'],
    ['to be restarted', [ended(1)], 'OnFailure', 'Running'],
    ['always restarted', [ended(0)], 'Always', 'Running'],
  ])('phase when %s', (_, states, restartPolicy, phase) => {
    const records = states.map((state, i) => aRecord({ name: `c${i}`, state }));
    expect(phaseOf({ pod: aPod({ restartPolicy }), records })).toBe(phase);
  });

  test('durations read as Go prints them', () => {
    expect([500, 1000, 10_000, 90_000, 300_000].map(goDuration)).toEqual(['500ms', '1s', '10s', '1m30s', '5m0s']);
  });
});

describe('a pod after the node was restarted', () => {
  test('counts go on, and what ran counts as lost', () => {
    const pod = aPod(
      {},
      {
        containerStatuses: [
          {
            name: 'web',
            restartCount: 4,
            state: { running: { startedAt: '2026-03-01T09:00:00Z' } },
            lastState: {},
            ready: true,
            image: '',
            imageID: '',
          },
        ],
      },
    );
    expect(recordsOf(pod, now)).toMatchObject([
      { name: 'web', restartCount: 4, state: { phase: 'ended', exitCode: 255, reason: 'Unknown', finishedAt: now } },
    ]);
  });

  test('a new pod waits for its containers, or for its init containers', () => {
    expect(recordsOf(aPod(), now)[0]?.state).toEqual({ phase: 'waiting', reason: 'ContainerCreating' });
    const withInit = aPod({ initContainers: [{ name: 'i' }, { name: 's', restartPolicy: 'Always' }] });
    expect(recordsOf(withInit, now).map((r) => [r.name, r.kind, r.state])).toEqual([
      ['i', 'init', { phase: 'waiting', reason: 'PodInitializing' }],
      ['s', 'sidecar', { phase: 'waiting', reason: 'PodInitializing' }],
      ['web', 'main', { phase: 'waiting', reason: 'PodInitializing' }],
    ]);
  });
});
