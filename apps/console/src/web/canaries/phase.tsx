import type { Canary, Decision } from '@keelson/contracts';
import { Badge, type Tone } from '../parts/badge.tsx';
import type { IconName } from '../parts/icon.tsx';

interface Look {
  readonly tone: Tone;
  readonly icon?: IconName;
  readonly text: string;
}

const PHASES: Readonly<Record<Canary['phase'], Look>> = {
  Pending: { tone: 'idle', icon: 'running', text: 'getting ready' },
  Progressing: { tone: 'info', icon: 'running', text: 'progressing' },
  Paused: { tone: 'warn', icon: 'pause', text: 'paused' },
  Promoting: { tone: 'info', icon: 'running', text: 'promoting' },
  Promoted: { tone: 'good', text: 'promoted' },
  RollingBack: { tone: 'bad', icon: 'back', text: 'rolling back' },
  RolledBack: { tone: 'bad', icon: 'back', text: 'rolled back' },
  Refused: { tone: 'warn', icon: 'warn', text: 'refused' },
};

export function PhaseBadge({ phase }: { readonly phase: Canary['phase'] }) {
  const { text, ...look } = PHASES[phase];
  return <Badge {...look}>{text}</Badge>;
}

/** A phase in words: `rolled back`. */
export const phaseText = (phase: Canary['phase']): string => PHASES[phase].text;

const ACTS: Readonly<Record<Decision['act'], Look>> = {
  start: { tone: 'idle', icon: 'running', text: 'start' },
  step: { tone: 'info', icon: 'chevron', text: 'step' },
  hold: { tone: 'warn', icon: 'warn', text: 'hold' },
  pause: { tone: 'warn', icon: 'pause', text: 'pause' },
  resume: { tone: 'info', icon: 'running', text: 'resume' },
  promote: { tone: 'good', icon: 'chevron', text: 'promote' },
  promoted: { tone: 'good', text: 'promoted' },
  'roll-back': { tone: 'bad', icon: 'back', text: 'roll back' },
  'rolled-back': { tone: 'bad', icon: 'back', text: 'rolled back' },
  refuse: { tone: 'warn', icon: 'warn', text: 'refuse' },
};

export function ActBadge({ act }: { readonly act: Decision['act'] }) {
  const { text, ...look } = ACTS[act];
  return <Badge {...look}>{text}</Badge>;
}

/** Whether its release still moves, so that it is worth looking at every second. */
export const isMoving = ({ phase }: Canary): boolean =>
  phase === 'Pending' || phase === 'Progressing' || phase === 'Promoting' || phase === 'RollingBack';
