import type { ReactNode } from 'react';
import { Icon, type IconName } from './icon.tsx';

/** How something stands; always told by words and a shape as well, never by the colour alone. */
export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'idle';

interface BadgeProps {
  readonly tone: Tone;
  readonly icon?: IconName;
  readonly children: ReactNode;
}

export function Badge({ tone, icon = tone, children }: BadgeProps) {
  return (
    <span className="badge" data-tone={tone}>
      <Icon name={icon} />
      {children}
    </span>
  );
}
