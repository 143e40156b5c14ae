import { type ReactNode, useId } from 'react';
import type { Permission } from '../session/standing.ts';

interface MayProps {
  readonly permission: Permission;
  readonly tone?: 'bad' | 'normal';
  readonly primary?: boolean;
  /** Whether the reason is shown beside it, too: where it stands alone. */
  readonly say?: boolean;
  readonly children: ReactNode;
  readonly onClick: () => void;
}

/** A button that stays where it is when it may not be used, and then says why (also to who cannot see the pointer). */
export function MayButton({ permission, tone = 'normal', primary = false, say = false, children, onClick }: MayProps) {
  const why = useId();
  const reason = permission.allowed ? undefined : permission.reason;
  return (
    <span className="may">
      <button
        type="button"
        className={primary ? 'button primary' : 'button'}
        data-tone={tone}
        // Not `disabled`: it stays reachable by keyboard, so that its reason can be read.
        aria-disabled={permission.allowed ? undefined : true}
        aria-describedby={reason === undefined ? undefined : why}
        title={reason}
        onClick={() => {
          if (permission.allowed) onClick();
        }}
      >
        {children}
      </button>
      {reason === undefined ? null : (
        <span id={why} className={say ? 'quiet small act-reason' : 'unseen'}>
          {reason}
        </span>
      )}
    </span>
  );
}
