import type { Decision, Evidence } from '@keelson/contracts';

/** The share of failed requests at one look. */
export interface Point {
  readonly at: number;
  /** 0 to 1. */
  readonly failed: number;
  readonly allowed: number;
}

/** The looks of a release that have a figure, oldest first; `now` is the latest one, whose decision may still come. */
export function pointsOf(decisions: readonly Decision[], now?: { evidence: readonly Evidence[]; at: number }): Point[] {
  const looks = [
    ...decisions.toReversed().map(({ at, evidence }) => ({ at: Date.parse(at), evidence })),
    ...(now === undefined ? [] : [now]),
  ];
  const points = looks.flatMap(({ at, evidence }) => {
    const rate = evidence.find(({ check }) => check === 'success-rate');
    if (rate?.value === undefined || rate.threshold === undefined) return [];
    return [{ at, failed: 1 - rate.value, allowed: 1 - rate.threshold }];
  });
  return points.filter(({ at }, index) => index === 0 || at > points[index - 1]!.at);
}

export interface Drawing {
  /** Path of the line, in the box. */
  readonly line: string;
  readonly dots: readonly { readonly x: number; readonly y: number; readonly over: boolean; readonly point: Point }[];
  /** Height of the line of what is allowed. */
  readonly allowedY: number;
  /** Share at the top of the box. */
  readonly top: number;
}

/** Puts points into a box of that size; undefined where there is nothing to connect. */
export function draw(points: readonly Point[], box: { width: number; height: number }): Drawing | undefined {
  const [first] = points;
  const last = points.at(-1);
  if (first === undefined || last === undefined || points.length < 2) return undefined;
  const allowed = last.allowed;
  const top = Math.max(...points.map(({ failed }) => failed), allowed * 2, 0.001) * 1.1;
  const x = (at: number): number => round(((at - first.at) / (last.at - first.at)) * box.width);
  const y = (share: number): number => round(box.height - (share / top) * box.height);
  const dots = points.map((point) => ({
    x: x(point.at),
    y: y(point.failed),
    over: point.failed > point.allowed,
    point,
  }));
  return { line: `M${dots.map((dot) => `${dot.x} ${dot.y}`).join('L')}`, dots, allowedY: y(allowed), top };
}

const round = (value: number): number => Math.round(value * 10) / 10;
