import { mayRestartAt, type BackOffLimits } from '../containers/back-off.ts';
import type { ContainerRecord } from '../containers/record.ts';

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

/** What the runner should do now: start containers, hold others back, look again at `wakeAt` (milliseconds). */
export type Decision = {
  start: string[];
  backOff: { name: string; delayMs: number; until: number }[];
  wakeAt: number | undefined;
};

/**
 * Which containers of a pod to start, as kubelet decides it: init containers one after the other (a sidecar lets the
 * next one begin once it has started), then all main containers; what ended is restarted by the restart policy after
 * its back-off. Pure. A pod that is being deleted is not asked about.
 */
export function decide(
  records: readonly ContainerRecord[],
  restartPolicy: RestartPolicy,
  now: number,
  limits: BackOffLimits,
): Decision {
  const decision: Decision = { start: [], backOff: [], wakeAt: undefined };
  for (const record of records) {
    if (record.kind === 'main') continue;
    const done = considerInit(decision, record, restartPolicy, now, limits);
    if (!done) return restartSidecars(decision, records, record, now, limits);
  }
  for (const record of records) {
    if (record.kind === 'main') consider(decision, record, restartPolicy, now, limits);
    else if (record.kind === 'sidecar') consider(decision, record, 'Always', now, limits);
  }
  return decision;
}

/** True when the next init container may begin. */
function considerInit(
  decision: Decision,
  record: ContainerRecord,
  restartPolicy: RestartPolicy,
  now: number,
  limits: BackOffLimits,
): boolean {
  if (record.kind === 'sidecar') {
    if (record.state.phase === 'running') return record.state.started;
    // It has started before: main containers need not wait for its restart.
    if (record.state.phase !== 'waiting' && record.last !== undefined) return true;
    consider(decision, record, 'Always', now, limits);
    return false;
  }
  if (record.state.phase === 'ended' && record.state.exitCode === 0) return true;
  // An init container is never "restarted by Always" after success; its failure is retried unless the policy is Never.
  consider(decision, record, restartPolicy === 'Never' ? 'Never' : 'OnFailure', now, limits);
  return false;
}

function restartSidecars(
  decision: Decision,
  records: readonly ContainerRecord[],
  before: ContainerRecord,
  now: number,
  limits: BackOffLimits,
): Decision {
  for (const record of records) {
    if (record === before) break;
    if (record.kind === 'sidecar') consider(decision, record, 'Always', now, limits);
  }
  return decision;
}

function consider(
  decision: Decision,
  record: ContainerRecord,
  restartPolicy: RestartPolicy,
  now: number,
  limits: BackOffLimits,
): void {
  const { state } = record;
  switch (state.phase) {
    case 'starting':
    case 'running':
      return;
    case 'waiting':
      if (state.retryAt === undefined || state.retryAt <= now) decision.start.push(record.name);
      else wake(decision, state.retryAt);
      return;
    case 'ended': {
      if (restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && state.exitCode === 0)) return;
      const at = mayRestartAt(record.backOff, state.finishedAt, limits);
      if (at <= now) {
        decision.start.push(record.name);
        return;
      }
      decision.backOff.push({ name: record.name, delayMs: at - state.finishedAt, until: at });
      wake(decision, at);
    }
  }
}

function wake(decision: Decision, at: number): void {
  decision.wakeAt = Math.min(decision.wakeAt ?? at, at);
}
