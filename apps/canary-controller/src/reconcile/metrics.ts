import type { Evidence } from '@keelson/contracts';
import { counter, gauge } from '@keelson/service-kit';
import type { Act } from '../release/decide.ts';
import type { ReleaseState } from '../release/state.ts';

/** What the controller tells of itself at /metrics. docs/canary-controller/operations.md says what to make of it. */
export interface ControllerMetrics {
  decided(act: Act): void;
  looked(evidence: readonly Evidence[]): void;
  failed(): void;
  leading(leads: boolean): void;
  releases(phases: readonly ReleaseState['phase'][]): void;
}

const PHASES = [
  'Pending',
  'Progressing',
  'Paused',
  'Promoting',
  'Promoted',
  'RollingBack',
  'RolledBack',
  'Refused',
] as const satisfies readonly ReleaseState['phase'][];

export function controllerMetrics(): ControllerMetrics {
  const decisions = counter({
    name: 'keelson_canary_decisions_total',
    help: 'Decisions of the controller by act; those of people are in the history',
    labelNames: ['act'],
  });
  const looks = counter({
    name: 'keelson_canary_looks_total',
    help: 'Measurements by check and outcome',
    labelNames: ['check', 'outcome'],
  });
  const failures = counter({
    name: 'keelson_canary_reconcile_failures_total',
    help: 'Attempts to bring a Canary forward that failed and are made again',
  });
  const leader = gauge({ name: 'keelson_canary_leader', help: 'Whether this replica leads: 1 or 0' });
  const releases = gauge({
    name: 'keelson_canary_releases',
    help: 'Releases by phase; only the leader has them',
    labelNames: ['phase'],
  });
  leader.set(0);
  return {
    decided: (act) => decisions.inc({ act }),
    looked: (evidence) => {
      for (const { check, outcome } of evidence) looks.inc({ check, outcome });
    },
    failed: () => failures.inc(),
    leading: (leads) => {
      leader.set(leads ? 1 : 0);
      if (!leads) releases.reset();
    },
    releases: (phases) => {
      for (const phase of PHASES) releases.set({ phase }, phases.filter((one) => one === phase).length);
    },
  };
}
