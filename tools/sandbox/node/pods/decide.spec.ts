import fc from 'fast-check';
import type { ContainerRecord, Ended } from '../containers/record.ts';
import { decide, type RestartPolicy } from './decide.ts';

const limits = { baseMs: 10_000, maxMs: 300_000 };

const aRecord = (name: string, over: Partial<ContainerRecord> = {}): ContainerRecord => ({
  name,
  spec: { name },
  kind: 'main',
  state: { phase: 'waiting', reason: 'ContainerCreating' },
  restartCount: 0,
  ...over,
});
const ended = (exitCode: number, finishedAt = 0): Ended => ({
  phase: 'ended',
  exitCode,
  reason: '',
  startedAt: 0,
  finishedAt,
  containerId: '',
});
const running = (started = true): ContainerRecord['state'] => ({
  phase: 'running',
  startedAt: 0,
  containerId: '',
  started,
  ready: true,
});

describe('which containers to start', () => {
  test('all main containers of a new pod at once', () => {
    expect(decide([aRecord('a'), aRecord('b')], 'Always', 0, limits).start).toEqual(['a', 'b']);
  });

  test('init containers one after the other, then the main ones', () => {
    const first = aRecord('i1', { kind: 'init' });
    const second = aRecord('i2', { kind: 'init' });
    const main = aRecord('m');
    expect(decide([first, second, main], 'Always', 0, limits).start).toEqual(['i1']);
    const done = { ...first, state: ended(0) };
    expect(decide([done, second, main], 'Always', 0, limits).start).toEqual(['i2']);
    expect(decide([done, { ...second, state: running() }, main], 'Always', 0, limits).start).toEqual([]);
    expect(decide([done, { ...second, state: ended(0) }, main], 'Always', 0, limits).start).toEqual(['m']);
  });

  test('a failed init container is retried, except under the policy Never', () => {
    const failed = aRecord('i', { kind: 'init', state: ended(1) });
    expect(decide([failed, aRecord('m')], 'Always', 0, limits).start).toEqual(['i']);
    expect(decide([failed, aRecord('m')], 'OnFailure', 0, limits).start).toEqual(['i']);
    expect(decide([failed, aRecord('m')], 'Never', 0, limits)).toEqual({ start: [], backOff: [], wakeAt: undefined });
  });

  test('a sidecar lets the next begin once it has started, and is restarted while others initialise', () => {
    const sidecar = aRecord('s', { kind: 'sidecar' });
    const init = aRecord('i', { kind: 'init' });
    expect(decide([sidecar, init], 'Never', 0, limits).start).toEqual(['s']);
    expect(decide([{ ...sidecar, state: running(false) }, init], 'Never', 0, limits).start).toEqual([]);
    expect(decide([{ ...sidecar, state: running() }, init], 'Never', 0, limits).start).toEqual(['i']);
    const crashed = { ...sidecar, state: ended(1), last: ended(1) };
    expect(decide([crashed, { ...init, state: running() }], 'Never', 0, limits).start).toEqual(['s']);
  });

  test.each<[RestartPolicy, number, boolean]>([
    ['Always', 0, true],
    ['Always', 1, true],
    ['OnFailure', 0, false],
    ['OnFailure', 1, true],
    ['Never', 0, false],
    ['Never', 1, false],
  ])('policy %s restarts after exit code %i: %s', (policy, exitCode, restarts) => {
    expect(decide([aRecord('a', { state: ended(exitCode) })], policy, 0, limits).start).toEqual(restarts ? ['a'] : []);
  });

  test('a crashing container waits for its back-off', () => {
    const record = aRecord('a', { state: ended(1, 5000), backOff: { delayMs: 20_000, restartedAt: 4000 } });
    expect(decide([record], 'Always', 6000, limits)).toEqual({
      start: [],
      backOff: [{ name: 'a', delayMs: 20_000, until: 25_000 }],
      wakeAt: 25_000,
    });
    expect(decide([record], 'Always', 25_000, limits).start).toEqual(['a']);
  });

  test('what could not be started is tried again at its time', () => {
    const record = aRecord('a', { state: { phase: 'waiting', reason: 'CreateContainerConfigError', retryAt: 900 } });
    expect(decide([record], 'Always', 100, limits)).toMatchObject({ start: [], wakeAt: 900 });
    expect(decide([record], 'Always', 900, limits).start).toEqual(['a']);
  });

  test('never starts what runs, nor a main container before every init container is through', () => {
    const anyState = fc.constantFrom<ContainerRecord['state']>(
      { phase: 'waiting', reason: '' },
      { phase: 'starting' },
      running(),
      running(false),
      ended(0),
      ended(1),
    );
    const anyRecord = fc.record({
      kind: fc.constantFrom<'init' | 'sidecar' | 'main'>('init', 'sidecar', 'main'),
      state: anyState,
    });
    fc.assert(
      fc.property(
        fc.array(anyRecord, { maxLength: 6 }),
        fc.constantFrom<RestartPolicy>('Always', 'OnFailure', 'Never'),
        (list, policy) => {
          const records = list.map((r, i) => aRecord(`c${i}`, r));
          const { start } = decide(records, policy, 1_000_000, limits);
          const initsDone = records.every(
            (r) => r.kind !== 'init' || (r.state.phase === 'ended' && r.state.exitCode === 0),
          );
          for (const name of start) {
            const record = records.find((r) => r.name === name);
            expect(['waiting', 'ended']).toContain(record?.state.phase);
            if (record?.kind === 'main') expect(initsDone).toBe(true);
          }
          expect(new Set(start).size).toBe(start.length);
        },
      ),
    );
  });
});
