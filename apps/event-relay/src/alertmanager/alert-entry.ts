import { createHash } from 'node:crypto';
import type { alertmanagerWebhookSchema } from '@keelson/contracts';
import type { z } from 'zod';
import type { NewEntry } from '../journal/entry.ts';

type Webhook = z.output<typeof alertmanagerWebhookSchema>;

/** Longest name of an object: labels may be of any length, and the journal finds events by name. */
const NAME_LIMIT = 253;

/**
 * Alertmanager's alerts as journal entries; the same alert in the same state comes once, however often it is repeated. What
 * Alertmanager cut off for its own `max_alerts` is told as a Warning.
 */
export function alertEntries(webhook: Webhook, cluster: string, team: string, now: Date): NewEntry[] {
  const entries = webhook.alerts.map((alert): NewEntry => {
    const resolved = alert.status === 'resolved';
    const startsAt = instant(alert.startsAt, now);
    const { alertname = 'Alert', severity, namespace, pod } = alert.labels;
    return {
      team,
      source: 'alertmanager',
      cluster,
      type: resolved || severity === 'info' || severity === 'none' ? 'Normal' : 'Warning',
      reason: resolved ? `${alertname}Resolved` : alertname,
      message: alert.annotations['summary'] ?? alert.annotations['description'] ?? alertname,
      object: {
        kind: pod === undefined ? 'Alert' : 'Pod',
        name: (pod ?? alertname).slice(0, NAME_LIMIT),
        ...(namespace === undefined ? {} : { namespace: namespace.slice(0, NAME_LIMIT) }),
      },
      reporter: `alertmanager/${webhook.receiver}`,
      labels: alert.labels,
      count: 1,
      firstSeen: startsAt,
      lastSeen: resolved && alert.endsAt ? instant(alert.endsAt, now) : startsAt,
      dedupeKey: key(team, alert.fingerprint, alert.startsAt, alert.status),
      original: alert,
    };
  });
  return webhook.truncatedAlerts === 0 ? entries : [...entries, truncated(webhook, cluster, team, now)];
}

function truncated(webhook: Webhook, cluster: string, team: string, now: Date): NewEntry {
  const at = now.toISOString();
  return {
    team,
    source: 'alertmanager',
    cluster,
    type: 'Warning',
    reason: 'AlertsTruncated',
    message: `Alertmanager left out ${webhook.truncatedAlerts} alerts of group ${webhook.groupKey}: more than max_alerts of receiver ${webhook.receiver}`,
    object: { kind: 'Alert', name: 'AlertsTruncated' },
    reporter: `alertmanager/${webhook.receiver}`,
    labels: {},
    count: 1,
    firstSeen: at,
    lastSeen: at,
    dedupeKey: key(team, 'truncated', webhook.groupKey, at),
    original: { groupKey: webhook.groupKey, truncatedAlerts: webhook.truncatedAlerts },
  };
}

/** Hashed, since its parts may be of any length. */
const key = (...parts: readonly string[]): string =>
  `alertmanager/${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;

/** RFC 3339 with any offset, in UTC; `now` where it is none, or of a year that PostgreSQL does not know. */
function instant(text: string, now: Date): string {
  const time = new Date(text);
  const year = time.getUTCFullYear();
  return year >= 1 && year <= 9999 ? time.toISOString() : now.toISOString();
}
