import { percent } from './measure.ts';
import { draw, type Point } from './failure-chart.ts';

const BOX = { width: 600, height: 120 };

/** The share of failed requests from look to look, against what is allowed. The history has the same in words. */
export function FailureChart({ points }: { readonly points: readonly Point[] }) {
  const drawing = draw(points, BOX);
  if (drawing === undefined) return null;
  const latest = points.at(-1)!;
  const over = drawing.dots.filter((dot) => dot.over).length;
  const summary = `Failed requests at ${points.length} looks; the last ${percent(latest.failed)}, allowed ${percent(latest.allowed)}; ${over} over the limit`;
  return (
    <figure className="chart">
      <figcaption className="small quiet">
        <span>Failed requests, look by look</span>
        <span>
          <span className="chart-key" aria-hidden="true" /> allowed {percent(latest.allowed)}
        </span>
      </figcaption>
      <svg
        viewBox={`-6 -6 ${BOX.width + 12} ${BOX.height + 12}`}
        role="img"
        aria-label={summary}
        preserveAspectRatio="none"
      >
        <line className="chart-base" x1="0" x2={BOX.width} y1={BOX.height} y2={BOX.height} />
        <line className="chart-limit" x1="0" x2={BOX.width} y1={drawing.allowedY} y2={drawing.allowedY} />
        <path className="chart-line" d={drawing.line} />
        {drawing.dots.map((dot) => (
          <line
            key={dot.point.at}
            className="chart-dot"
            data-over={dot.over}
            x1={dot.x}
            x2={dot.x}
            y1={dot.y}
            y2={dot.y}
          />
        ))}
      </svg>
    </figure>
  );
}
