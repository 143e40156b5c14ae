import type { ReactNode } from 'react';
import { Failure } from './failure.tsx';
import { Icon, type IconName } from './icon.tsx';
import { Time } from './time.tsx';

interface ReadingLike<T> {
  readonly data: T | undefined;
  readonly error: unknown;
  readonly readAt: number | undefined;
  readonly refresh: () => void;
}

interface ShowProps<T> {
  readonly reading: ReadingLike<T>;
  /** What is being read, for screen readers: "canaries". */
  readonly what: string;
  /** How many lines the skeleton has. */
  readonly lines?: number;
  readonly children: (data: T) => ReactNode;
}

/** Shows what was read; a skeleton before, the failure where there is nothing, both where it is no longer fresh. */
export function Show<T>({ reading, what, lines = 3, children }: ShowProps<T>) {
  const { data, error, readAt, refresh } = reading;
  if (data === undefined) {
    return error === undefined ? <Skeleton what={what} lines={lines} /> : <Failure error={error} retry={refresh} />;
  }
  return (
    <>
      {error === undefined ? null : (
        <div className="stale">
          <Failure error={error} retry={refresh} />
          {readAt === undefined ? null : (
            <p className="quiet">
              What you see was read <Time at={readAt} />.
            </p>
          )}
        </div>
      )}
      {children(data)}
    </>
  );
}

export function Skeleton({ what, lines }: { readonly what: string; readonly lines: number }) {
  return (
    <div className="skeleton" role="status" aria-label={`Reading ${what}`}>
      {Array.from({ length: lines }, (_, at) => (
        <span key={at} />
      ))}
    </div>
  );
}

interface EmptyProps {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ReactNode;
}

/** Nothing is there, and what to do about it if anything. */
export function Empty({ icon, title, children }: EmptyProps) {
  return (
    <div className="empty">
      <Icon name={icon} />
      <p className="empty-title">{title}</p>
      {children === undefined ? null : <div className="quiet">{children}</div>}
    </div>
  );
}
