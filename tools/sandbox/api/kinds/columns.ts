import type { KubeObject } from '../json.ts';
import type { Column } from './strategy.ts';

/** A span as kubectl prints it (k8s.io/apimachinery/pkg/util/duration.HumanDuration): `45s`, `3m7s`, `5h`, `12d`. */
export function humanDuration(ms: number): string {
  const s = Math.trunc(ms / 1000);
  if (s < -1) return '<invalid>';
  if (s < 0) return '0s';
  if (s < 120) return `${s}s`;
  const m = Math.trunc(s / 60);
  const pair = (major: number, unit: string, minor: number, small: string): string =>
    minor === 0 ? `${major}${unit}` : `${major}${unit}${minor}${small}`;
  if (m < 10) return pair(m, 'm', s % 60, 's');
  if (m < 180) return `${m}m`;
  const h = Math.trunc(m / 60);
  if (h < 8) return pair(h, 'h', m % 60, 'm');
  if (h < 48) return `${h}h`;
  if (h < 192) return pair(Math.trunc(h / 24), 'd', h % 24, 'h');
  if (h < 24 * 365 * 2) return `${Math.trunc(h / 24)}d`;
  if (h < 24 * 365 * 8) return pair(Math.trunc(h / 24 / 365), 'y', Math.trunc(h / 24) % 365, 'd');
  return `${Math.trunc(h / 24 / 365)}y`;
}

/** The time since an RFC 3339 timestamp; `<unknown>` without one. */
export const since = (time: string | undefined | null, now: Date): string =>
  time ? humanDuration(now.getTime() - Date.parse(time)) : '<unknown>';

export const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  value: (o: KubeObject) => o.metadata.name,
};

export const age: Column = {
  name: 'Age',
  type: 'string',
  value: (o: KubeObject, now) => since(o.metadata.creationTimestamp, now),
};

export const createdAt: Column = {
  name: 'Created At',
  type: 'date',
  value: (o: KubeObject) => o.metadata.creationTimestamp,
};

/** Labels as `a=b,c=d`; `<none>` without any. */
export function shownLabels(labels: Record<string, string> | undefined): string {
  const pairs = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.length === 0 ? '<none>' : pairs.map(([key, value]) => `${key}=${value}`).join(',');
}
