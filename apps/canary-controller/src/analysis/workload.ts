import type { Evidence } from '@keelson/contracts';
import type { Workload } from '../release/state.ts';

/** Judges whether the new version has a pod that can answer at all. */
export function judgeWorkload(deployment: string, workload: Workload): Evidence {
  const check = 'workload' as const;
  switch (workload.kind) {
    case 'missing':
      return { check, outcome: 'fail', summary: `${workload.what} is gone` };
    case 'starting':
      return {
        check,
        outcome: workload.ready === 0 ? 'fail' : 'pass',
        summary: `${workload.ready} of ${workload.wanted} pods of ${deployment} are ready`,
        value: workload.ready,
        threshold: 1,
      };
    case 'ready':
      return {
        check,
        outcome: 'pass',
        summary: `${workload.ready} of ${workload.wanted} pods of ${deployment} are ready`,
        value: workload.ready,
        threshold: 1,
      };
    default:
      return workload satisfies never;
  }
}
