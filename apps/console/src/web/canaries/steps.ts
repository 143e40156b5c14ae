import type { Canary } from '@keelson/contracts';

export type StepState = 'done' | 'current' | 'failed' | 'next';

/** A step of the plan with where the release stands to it. */
export interface StepView {
  readonly index: number;
  readonly weight: number;
  readonly holdSeconds: number;
  readonly pause: boolean;
  readonly state: StepState;
}

/** The plan of a release and how far it got. */
export function stepsOf({ spec, step, phase }: Pick<Canary, 'spec' | 'step' | 'phase'>): StepView[] {
  return spec.steps.map((one, index) => ({ ...one, index, state: stateOf(index, step, phase) }));
}

function stateOf(index: number, reached: number, phase: Canary['phase']): StepState {
  switch (phase) {
    case 'Promoted':
    case 'Promoting':
      return 'done';
    case 'RollingBack':
    case 'RolledBack':
      return index < reached ? 'done' : index === reached ? 'failed' : 'next';
    case 'Progressing':
    case 'Paused':
      return index < reached ? 'done' : index === reached ? 'current' : 'next';
    case 'Pending':
    case 'Refused':
      return 'next';
    default:
      return phase satisfies never;
  }
}
