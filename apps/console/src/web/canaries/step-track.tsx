import type { Canary } from '@keelson/contracts';
import { Icon } from '../parts/icon.tsx';
import { span } from '../parts/relative.ts';
import { type StepState, stepsOf } from './steps.ts';

const WORDS: Readonly<Record<StepState, string>> = {
  done: 'done',
  current: 'now',
  failed: 'failed here',
  next: 'to come',
};

/** The plan as a row of steps, and how far the release got. */
export function StepTrack({ canary }: { readonly canary: Canary }) {
  return (
    <ol className="steps" aria-label="Steps of the release">
      {stepsOf(canary).map(({ index, weight, holdSeconds, pause, state }) => (
        <li key={index} data-state={state} aria-current={state === 'current' ? 'step' : undefined}>
          <span className="step-dot">
            {state === 'done' ? <Icon name="good" /> : state === 'failed' ? <Icon name="bad" /> : index + 1}
          </span>
          <span className="step-weight">{weight} %</span>
          <span className="step-hold quiet small">{pause ? 'waits for you' : `held ${span(holdSeconds * 1000)}`}</span>
          <span className="step-state small">{WORDS[state]}</span>
        </li>
      ))}
    </ol>
  );
}
