import type { Canary } from '@keelson/contracts';

type Route = Pick<Canary, 'weight' | 'spec' | 'phase'>;

/** How the traffic is split now: the old version to the left, the new one to the right. */
export function Traffic({ canary: { weight, spec, phase } }: { readonly canary: Route }) {
  const stable = spec.stable.deployment;
  const fresh = spec.canary.deployment;
  const failed = phase === 'RollingBack' || phase === 'RolledBack';
  return (
    <div className="traffic" data-failed={failed}>
      <div
        className="traffic-bar"
        role="img"
        aria-label={`${100 - weight} % of the traffic to ${stable}, ${weight} % to ${fresh}`}
      >
        <span className="traffic-stable" style={{ flexGrow: 100 - weight }} />
        <span className="traffic-canary" style={{ flexGrow: weight }} />
      </div>
      <p className="traffic-legend small" aria-hidden="true">
        <span className="clip">
          {stable} <b>{100 - weight} %</b>
        </span>
        <span className="clip">
          {fresh} <b>{weight} %</b>
        </span>
      </p>
    </div>
  );
}
